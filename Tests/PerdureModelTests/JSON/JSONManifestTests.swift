import Testing

@testable import PerdureModel

@Suite struct JSONManifestTests {
    @Test(arguments: [
        ("json:Account:1", "Account", 1), ("json:BankAccount.State:2147483647", "BankAccount.State", 2_147_483_647),
        ("json:Box<Int>:30", "Box<Int>", 30), ("json:Überweisung:1", "Überweisung", 1),
    ])
    func hasOneWayToBeWritten(_ text: String, _ name: String, _ version: Int) throws {
        let manifest = try #require(JSONManifest(parsing: text))
        #expect(manifest.name == name)
        #expect(manifest.version == version)
        #expect(manifest.text == text)
    }

    @Test(arguments: [
        "", "json", "json:", "json::", "json::1", "json:A", "json:A:", "json:A:0", "json:A:01", "json:A:+1",
        "json:A:-1",
        "json:A:1 ", "json:A:2147483648", "json:A:99999999999999999999", "json:A:x", "json:A B:1", "json:A:B:1",
        "json:A\n:1",
        "JSON:A:1", "proto:A:1", "google.protobuf.Any", "json:A:١",
    ])
    func refusesEverythingElse(_ text: String) {
        #expect(JSONManifest(parsing: text) == nil)
    }

    @Test func theLongestNameFillsTheManifest() throws {
        let longest = String(repeating: "x", count: 239)
        let codec = try JSONStateCodec<Int>(name: longest, version: 2_147_483_647)
        #expect(codec.manifest.utf8.count == 255)
        #expect(try codec.decode(codec.encode(3)) == 3)
        let error = payloadError { try JSONStateCodec<Int>(name: longest + "x") }
        #expect(error?.code == .misconfigured)
        #expect(error?.message == "the stored name of a type has at most 239 bytes of UTF-8, this one has 240")
    }

    @Test(arguments: ["", "a:b", "a b", "a\0", "\u{7f}"])
    func namesThatBreakTheRuleAreRefused(_ name: String) {
        #expect(payloadError { try JSONStateCodec<Int>(name: name) }?.code == .misconfigured)
    }

    @Test(arguments: [0, -1, 2_147_483_648])
    func versionsThatBreakTheRuleAreRefused(_ version: Int) {
        let error = payloadError { try JSONStateCodec<Int>(name: "A", version: version) }
        #expect(error?.message == "a schema version is a number from 1 to 2147483647, this one is \(version)")
    }
}
