import PerdureModel
import Testing

/// Three lives of one type: an amount, then cents, then cents with a currency.
@Suite struct JSONMigrationsTests {
    struct AccountV1: Codable, Sendable, Equatable { var amount: Double }
    struct AccountV2: Codable, Sendable, Equatable {
        var cents: Int
        init(cents: Int) { self.cents = cents }
        init(_ old: AccountV1) { self.cents = Int(old.amount * 100) }
    }
    struct AccountV3: Codable, Sendable, Equatable {
        var cents: Int
        var currency: String
        var from: String
        init(_ old: AccountV2) { (self.cents, self.currency, self.from) = (old.cents, "EUR", "2") }
        init(straight old: AccountV1) { (self.cents, self.currency, self.from) = (Int(old.amount * 100), "EUR", "1") }
        init(cents: Int, currency: String) { (self.cents, self.currency, self.from) = (cents, currency, "3") }
    }
    struct Overdrawn: Error {}

    private let first = StatePayload(manifest: "json:Account:1", bytes: Array(#"{"amount":4.5}"#.utf8))
    private let second = StatePayload(manifest: "json:Account:2", bytes: Array(#"{"cents":99}"#.utf8))

    @Test func everyOldVersionArrivesAtToday() throws {
        let codec = try JSONStateCodec<AccountV3>(
            name: "Account", version: 3,
            migrating: .from(1, AccountV1.self) { AccountV2($0) }
                .then(2) { AccountV3($0) })
        #expect(try codec.decode(self.first) == AccountV3(AccountV2(cents: 450)))
        #expect(try codec.decode(self.second) == AccountV3(AccountV2(cents: 99)))
        let today = AccountV3(cents: 1, currency: "CHF")
        let payload = try codec.encode(today)
        #expect(payload.manifest == "json:Account:3")
        #expect(try codec.decode(payload) == today)
        #expect(
            payloadError { try codec.decode(StatePayload(manifest: "json:Account:4", bytes: [])) }?.code
                == .newerVersion)
    }

    @Test func aVersionMayBeJumpedOverAndReadBesides() throws {
        let jump = try JSONStateCodec<AccountV3>(
            name: "Account", version: 3, migrating: .from(1, AccountV1.self, to: 3) { AccountV3(straight: $0) })
        #expect(try jump.decode(self.first).from == "1")
        #expect(payloadError { try jump.decode(self.second) }?.code == .unknownVersion)

        let both = try JSONStateCodec<AccountV3>(
            name: "Account", version: 3,
            migrating: .from(1, AccountV1.self, to: 3) { AccountV3(straight: $0) }
                .also(2, AccountV2.self) { AccountV3($0) })
        #expect(try both.decode(self.first).from == "1")
        #expect(try both.decode(self.second).from == "2")
    }

    @Test func versionsMaySkipNumbers() throws {
        let codec = try JSONStateCodec<AccountV3>(
            name: "Account", version: 9,
            migrating: .from(2, AccountV1.self, to: 5) { AccountV2($0) }
                .then(5, to: 9) { AccountV3($0) })
        let old = StatePayload(manifest: "json:Account:2", bytes: self.first.bytes)
        #expect(try codec.decode(old).cents == 450)
        for version in [1, 3, 4, 6, 7, 8] {
            let payload = StatePayload(manifest: "json:Account:\(version)", bytes: self.first.bytes)
            let error = payloadError { try codec.decode(payload) }
            #expect(error?.code == .unknownVersion)
            #expect(error?.message.contains("known: 2, 5, 9;") == true)
        }
    }

    @Test func aMissingLinkIsRefusedWithTheReason() {
        let gap = payloadError {
            try JSONStateCodec<AccountV3>(
                name: "Account", version: 4,
                migrating: .from(1, AccountV1.self) { AccountV2($0) }
                    .then(3) { AccountV3($0) })
        }
        #expect(gap?.code == .misconfigured)
        #expect(
            gap?.message == """
                cannot build the codec of "Account": the migrations lead to version 2, and the next one begins at version 3: \
                nothing leads from 2 to 3
                """)

        let end = payloadError {
            try JSONStateCodec<AccountV2>(
                name: "Account", version: 3, migrating: .from(1, AccountV1.self) { AccountV2($0) })
        }
        #expect(end?.message.hasSuffix("nothing leads from 2 to 3") == true)
    }

    @Test(arguments: [
        (0, 1, "a schema version is a number from 1 to 2147483647, this one is 0"),
        (1, 1, "a migration leads to a newer version, this one from 1 to 1"),
        (3, 2, "a migration leads to a newer version, this one from 3 to 2"),
        (Int.max, Int.min, "a schema version is a number from 1 to 2147483647, this one is 9223372036854775807"),
    ])
    func aLinkBackwardsIsRefused(_ from: Int, _ to: Int, _ reason: String) {
        let error = payloadError {
            try JSONStateCodec<AccountV2>(
                name: "A", version: 2, migrating: .from(from, AccountV1.self, to: to) { AccountV2($0) })
        }
        #expect(error?.code == .misconfigured)
        #expect(error?.message == "cannot build the codec of \"A\": \(reason)")
    }

    @Test func twoMigrationsFromOneVersionAreRefused() {
        let error = payloadError {
            try JSONStateCodec<AccountV2>(
                name: "A", version: 2,
                migrating: .from(1, AccountV1.self) { AccountV2($0) }.also(1, AccountV1.self) { AccountV2($0) })
        }
        #expect(error?.message.hasSuffix("two migrations begin at version 1") == true)
    }

    @Test func aMigrationThatThrowsIsTold() throws {
        let codec = try JSONStateCodec<AccountV3>(
            name: "Account", version: 3,
            migrating: .from(1, AccountV1.self) { _ throws -> AccountV2 in throw Overdrawn() }
                .then(2) { _ throws -> AccountV3 in throw Overdrawn() })
        for payload in [self.first, self.second] {
            let error = payloadError { try codec.decode(payload) }
            #expect(error?.code == .migrationFailed)
            #expect(error?.manifest == payload.manifest)
            #expect(error?.message == "the migration from version \(payload.manifest.suffix(1)) threw")
            #expect(error?.underlying is Overdrawn)
        }
    }

    @Test func oldBytesThatAreMalformedAreNotMigrated() throws {
        let codec = try JSONStateCodec<AccountV2>(
            name: "Account", version: 2, migrating: .from(1, AccountV1.self) { AccountV2($0) })
        let error = payloadError { try codec.decode(StatePayload(manifest: "json:Account:1", bytes: Array("{}".utf8))) }
        #expect(error?.code == .malformed)
        #expect(error?.message.hasSuffix("the top level lacks the key amount") == true)
    }
}
