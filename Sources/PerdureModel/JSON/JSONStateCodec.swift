/// States as JSON, under a manifest that names the type and its schema version.
///
/// The manifest is `json:<name>:<version>`, for example `json:BankAccount.State:1`. The same state always gives the same bytes:
/// keys are sorted. What is read must carry this codec's name and a version that it knows; anything else is an error that
/// says what was found, never an empty state.
///
/// Older versions are read through ``JSONMigrations``.
public struct JSONStateCodec<State: Codable & Sendable>: StateCodec {
    /// The stored name of the type.
    public let name: String
    /// The schema version that is written.
    public let version: Int
    /// The manifest that is written.
    public let manifest: String

    private let readers: [Int: JSONMigrations<State>.Reader]
    /// Why nothing can be written or read. Only where the type's own name breaks the rule for names.
    private let fault: PayloadError?

    /// The type's name with the types that enclose it and without its module: `BankAccount.State`.
    ///
    /// It stays the same when the type moves to another module, and changes when the type, or one around it, is renamed.
    public static var defaultName: String { StoredTypeName.of(State.self) }

    /// Version 1, under the type's ``defaultName``.
    ///
    /// A type whose name breaks the rule for names (longer than 239 bytes) needs ``init(name:version:)``; with this initializer each
    /// encoding and decoding of it throws ``PayloadError/Code/misconfigured``.
    public init() {
        let manifest = JSONManifest(name: Self.defaultName, version: 1)
        self.name = manifest.name
        self.version = manifest.version
        self.manifest = manifest.text
        self.readers = [:]
        self.fault = JSONManifest.violation(inName: manifest.name).map {
            PayloadError(.misconfigured, message: "\($0); give one with JSONStateCodec(name:version:)")
        }
    }

    /// A chosen name and version, without migrations: states of older versions cannot be read.
    ///
    /// - Parameters:
    ///   - name: the stored name of the type: 1 to 239 bytes of UTF-8 without colons, blanks and control characters.
    ///   - version: the schema version, 1 to 2,147,483,647.
    /// - Throws: ``PayloadError`` with ``PayloadError/Code/misconfigured`` when a rule is broken.
    public init(name: String, version: Int = 1) throws(PayloadError) {
        try self.init(name: name, version: version, readers: [:])
    }

    /// A chosen name and version, and the way from older versions to this one.
    ///
    /// - Parameters:
    ///   - name: the stored name of the type: 1 to 239 bytes of UTF-8 without colons, blanks and control characters.
    ///   - version: the schema version, 2 to 2,147,483,647.
    ///   - migrations: leads to `version` without a gap.
    /// - Throws: ``PayloadError`` with ``PayloadError/Code/misconfigured`` when a rule is broken or a link of the chain is missing.
    public init(name: String, version: Int, migrating migrations: JSONMigrations<State>) throws(PayloadError) {
        var fault = migrations.fault
        if fault == nil, migrations.target != version {
            fault = """
                the migrations lead to version \(migrations.target) and the codec writes version \(version): \
                nothing leads from \(migrations.target) to \(version)
                """
        }
        if let fault {
            throw PayloadError(.misconfigured, message: "cannot build the codec of \(name.debugDescription): \(fault)")
        }
        try self.init(name: name, version: version, readers: migrations.readers)
    }

    private init(name: String, version: Int, readers: [Int: JSONMigrations<State>.Reader]) throws(PayloadError) {
        if let violation = JSONManifest.violation(inName: name) ?? JSONManifest.violation(inVersion: version) {
            throw PayloadError(.misconfigured, message: violation)
        }
        self.name = name
        self.version = version
        self.manifest = JSONManifest(name: name, version: version).text
        self.readers = readers
        self.fault = nil
    }

    /// The state as JSON.
    ///
    /// - Throws: ``PayloadError`` with ``PayloadError/Code/encodingFailed`` where JSON has no way to say it, such as not-a-number.
    public func encode(_ state: State) throws(PayloadError) -> StatePayload {
        if let fault { throw fault }
        do {
            return StatePayload(manifest: self.manifest, bytes: try JSONCoding.encode(state))
        } catch {
            throw PayloadError(
                .encodingFailed,
                message: "the state cannot be written as JSON (not-a-number, or an encoder's own rule)",
                manifest: self.manifest, underlying: error)
        }
    }

    /// The state in a payload of this or an older version.
    ///
    /// - Throws: ``PayloadError``: ``PayloadError/Code/unknownManifest``, ``PayloadError/Code/wrongType``,
    ///   ``PayloadError/Code/newerVersion``, ``PayloadError/Code/unknownVersion``, ``PayloadError/Code/malformed`` or
    ///   ``PayloadError/Code/migrationFailed``.
    public func decode(_ payload: StatePayload) throws(PayloadError) -> State {
        if let fault { throw fault }
        let reader = try self.reader(of: payload.manifest)
        do {
            if let reader { return try reader(payload.bytes) }
            return try JSONCoding.decode(State.self, from: payload.bytes)
        } catch let failure as MigrationFailure {
            throw PayloadError(
                .migrationFailed, message: "the migration from version \(failure.version) threw",
                manifest: payload.manifest, underlying: failure.underlying)
        } catch {
            let reason = (error as? DecodingError)?.summary ?? "the type's own decoder refused them"
            throw PayloadError(
                .malformed,
                message: "\(payload.bytes.count) bytes cannot be read as what their manifest names: \(reason)",
                manifest: payload.manifest, underlying: error)
        }
    }

    /// How to read what stands under `manifest`; nil for the current version.
    private func reader(of manifest: String) throws(PayloadError) -> JSONMigrations<State>.Reader? {
        if IDKey(manifest) == IDKey(self.manifest) { return nil }
        guard let found = JSONManifest(parsing: manifest) else {
            throw PayloadError(
                .unknownManifest,
                message:
                    "a manifest of the form json:\(self.name):VERSION was expected; another codec wrote this state",
                manifest: manifest)
        }
        guard IDKey(found.name) == IDKey(self.name) else {
            throw PayloadError(
                .wrongType,
                message: """
                    a state of the type \(self.name.debugDescription) was expected, and this is one of the type \
                    \(found.name.debugDescription); if the type was renamed, give its codec the old name
                    """, manifest: manifest)
        }
        if found.version > self.version {
            throw PayloadError(
                .newerVersion,
                message: """
                    version \(found.version) was written by a newer release, and this one knows versions up to \
                    \(self.version); run the newer release
                    """, manifest: manifest)
        }
        guard let reader = self.readers[found.version] else {
            throw PayloadError(
                .unknownVersion,
                message: """
                    no migration begins at version \(found.version); known: \(self.knownVersions); add one to the codec of \
                    \(self.name.debugDescription)
                    """, manifest: manifest)
        }
        return reader
    }

    private var knownVersions: String {
        (self.readers.keys.sorted() + [self.version]).map(String.init).joined(separator: ", ")
    }
}
