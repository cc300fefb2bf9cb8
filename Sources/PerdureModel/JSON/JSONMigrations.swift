/// How states that were stored under older schema versions become states of today's type.
///
/// Written from the oldest version on. Each migration takes what the one before gives, which the compiler checks:
///
/// ```swift
/// try JSONStateCodec<AccountV3>(
///     name: "Account", version: 3,
///     migrating: .from(1, AccountV1.self) { AccountV2($0) }
///         .then(2) { AccountV3($0) })
/// ```
///
/// A version may be jumped over, and several may lead to the same:
///
/// ```swift
/// try JSONStateCodec<AccountV3>(
///     name: "Account", version: 3,
///     migrating: .from(1, AccountV1.self, to: 3) { AccountV3($0) }
///         .also(2, AccountV2.self) { AccountV3($0) })
/// ```
///
/// Migrations run when a state is read, each time until it is next written. They must be pure. The codec refuses a chain
/// with a gap when it is built.
public struct JSONMigrations<State>: Sendable {
    /// Reads the bytes of one old version as today's state.
    typealias Reader = @Sendable ([UInt8]) throws -> State

    /// The old versions that can be read.
    let readers: [Int: Reader]
    /// The version that ``State`` is.
    let target: Int
    /// The first rule that was broken, in words.
    let fault: String?

    /// Begins with the oldest version that may still be stored.
    ///
    /// - Parameters:
    ///   - version: the version under which states of `type` were stored.
    ///   - type: their type.
    ///   - next: the version that `migrate` makes of them; the one after `version` unless said otherwise. Versions in between are
    ///     taken as never stored, unless ``also(_:_:_:)`` reads them.
    ///   - migrate: makes the newer state; may throw, which fails the reading with ``PayloadError/Code/migrationFailed``.
    /// - Returns: migrations that lead to `next`.
    public static func from<Old: Decodable, New>(
        _ version: Int, _ type: Old.Type, to next: Int? = nil, _ migrate: @escaping @Sendable (Old) throws -> New
    ) -> JSONMigrations<New> {
        let target = next ?? version &+ 1
        return JSONMigrations<New>(
            readers: [version: JSONMigrations<New>.reader(from: version, type, migrate)], target: target,
            fault: Self.violation(from: version, to: target))
    }

    /// Goes on from the version that the migrations lead to so far, and reads states of that version too.
    ///
    /// - Parameters:
    ///   - version: the version that the migrations before lead to; given so that the chain can be read, and checked.
    ///   - next: the version that `migrate` makes; the one after `version` unless said otherwise.
    ///   - migrate: makes the newer state; may throw.
    /// - Returns: migrations that lead to `next`.
    public func then<New>(
        _ version: Int, to next: Int? = nil, _ migrate: @escaping @Sendable (State) throws -> New
    ) -> JSONMigrations<New> where State: Decodable {
        let target = next ?? version &+ 1
        var readers = self.readers.mapValues { (read: @escaping Reader) -> JSONMigrations<New>.Reader in
            { bytes in
                let old = try read(bytes)
                do { return try migrate(old) } catch { throw MigrationFailure(version: version, underlying: error) }
            }
        }
        readers[version] = JSONMigrations<New>.reader(from: version, State.self, migrate)
        var fault = self.fault ?? Self.violation(from: version, to: target)
        if fault == nil, version != self.target {
            fault = """
                the migrations lead to version \(self.target), and the next one begins at version \(version): \
                nothing leads from \(self.target) to \(version)
                """
        }
        return JSONMigrations<New>(readers: readers, target: target, fault: fault)
    }

    /// Another old version that leads straight to where the migrations lead so far.
    ///
    /// - Parameters:
    ///   - version: the version under which states of `type` were stored; older than the one that the migrations lead to.
    ///   - type: their type.
    ///   - migrate: makes the newer state; may throw.
    /// - Returns: migrations that lead where these did.
    public func also<Old: Decodable>(
        _ version: Int, _ type: Old.Type, _ migrate: @escaping @Sendable (Old) throws -> State
    ) -> JSONMigrations {
        var readers = self.readers
        let previous = readers.updateValue(Self.reader(from: version, type, migrate), forKey: version)
        var fault = self.fault ?? Self.violation(from: version, to: self.target)
        if fault == nil, previous != nil { fault = "two migrations begin at version \(version)" }
        return JSONMigrations(readers: readers, target: self.target, fault: fault)
    }

    private static func reader<Old: Decodable>(
        from version: Int, _ type: Old.Type, _ migrate: @escaping @Sendable (Old) throws -> State
    ) -> Reader {
        { bytes in
            let old = try JSONCoding.decode(type, from: bytes)
            do { return try migrate(old) } catch { throw MigrationFailure(version: version, underlying: error) }
        }
    }

    private static func violation(from version: Int, to target: Int) -> String? {
        if let violation = JSONManifest.violation(inVersion: version) { return violation }
        if let violation = JSONManifest.violation(inVersion: target) { return violation }
        return version < target ? nil : "a migration leads to a newer version, this one from \(version) to \(target)"
    }
}

/// What a migration threw, told apart from what the JSON decoder threw.
struct MigrationFailure: Error {
    let version: Int
    let underlying: any Error
}
