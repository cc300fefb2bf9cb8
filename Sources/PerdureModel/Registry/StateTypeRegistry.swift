/// Knows types by the names under which they are stored: for code that learns at run time what a payload holds.
///
/// What Go's global registry of messages does, as a value: a tool, a test and a service can have a registry each.
///
/// ```swift
/// var registry = StateTypeRegistry()
/// try registry.register(Samplepb_Account.self)                 // protobuf, both layouts
/// try registry.register(JSONStateCodec<Logbook>(name: "Logbook"))
/// let state = try registry.decode(payload)                     // any Sendable
/// let account = try registry.decode(payload, as: Samplepb_Account.self)
/// ```
public struct StateTypeRegistry: Sendable {
    private enum Name: Hashable, Sendable {
        case json(IDKey)
        case message(IDKey)
        case manifest(IDKey)
    }

    private struct Entry: Sendable {
        let type: ObjectIdentifier
        let typeName: String
        let decode: @Sendable (StatePayload) throws -> any Sendable
    }

    private var entries: [Name: Entry] = [:]

    /// A registry that knows nothing yet.
    public init() {}

    /// The names that are known, in order: of messages, of JSON states as `json:<name>`, and manifests of other codecs.
    public var names: [String] {
        self.entries.keys.map { name in
            switch name {
            case .json(let key): JSONManifest.prefix + key.id
            case .message(let key), .manifest(let key): key.id
            }
        }.sorted()
    }

    /// Registers a message under its full name, for both layouts.
    ///
    /// - Throws: ``PayloadError`` with ``PayloadError/Code/misconfigured`` when the name belongs to another type already.
    public mutating func register<State: ProtobufMessage>(_ message: State.Type) throws(PayloadError) {
        try self.register(ProtobufStateCodec<State>())
    }

    /// Registers what a codec reads: its message, and those that it migrates from.
    ///
    /// - Throws: ``PayloadError`` with ``PayloadError/Code/misconfigured`` when a name belongs to another type already; then nothing
    ///   was registered.
    public mutating func register<State>(_ codec: ProtobufStateCodec<State>) throws(PayloadError) {
        try self.insert(codec, under: codec.messageNames.map { .message(IDKey($0)) })
    }

    /// Registers what a codec reads: all the versions under its name.
    ///
    /// - Throws: ``PayloadError`` with ``PayloadError/Code/misconfigured`` when the name belongs to another type already.
    public mutating func register<State>(_ codec: JSONStateCodec<State>) throws(PayloadError) {
        try self.insert(codec, under: [.json(IDKey(codec.name))])
    }

    /// Registers a codec of another kind under one manifest.
    ///
    /// - Throws: ``PayloadError`` with ``PayloadError/Code/misconfigured`` when the manifest belongs to another type already.
    public mutating func register<State>(
        _ codec: some StateCodec<State>, manifest: String
    ) throws(PayloadError) {
        try self.insert(codec, under: [.manifest(IDKey(manifest))])
    }

    /// The state in a payload, whatever its type.
    ///
    /// - Throws: ``PayloadError``: ``PayloadError/Code/unknownType`` naming what to register, ``PayloadError/Code/unknownManifest``
    ///   when the manifest has no form that is known, or what the type's codec throws.
    public func decode(_ payload: StatePayload) throws(PayloadError) -> any Sendable {
        try Self.decode(payload, with: try self.entry(of: payload))
    }

    /// The state in a payload, which must be of the given type.
    ///
    /// - Throws: ``PayloadError`` as ``decode(_:)`` does, and ``PayloadError/Code/wrongType`` when the payload holds another type.
    public func decode<State: Sendable>(_ payload: StatePayload, as type: State.Type) throws(PayloadError) -> State {
        let entry = try self.entry(of: payload)
        // Asked for before decoding, so that the error does not depend on whether the other type's bytes are whole.
        if entry.type == ObjectIdentifier(type), let state = try Self.decode(payload, with: entry) as? State {
            return state
        }
        throw PayloadError(
            .wrongType,
            message: """
                a \(StoredTypeName.of(type)) was asked for, and the payload holds a \(entry.typeName)
                """, manifest: payload.manifest)
    }

    private mutating func insert<Codec: StateCodec>(_ codec: Codec, under names: [Name]) throws(PayloadError) {
        let entry = Entry(
            type: ObjectIdentifier(Codec.State.self), typeName: StoredTypeName.of(Codec.State.self),
            decode: { try codec.decode($0) })
        for name in names {
            if let other = self.entries[name], other.type != entry.type {
                throw PayloadError(
                    .misconfigured,
                    message: """
                        \(Self.words(for: name)) is registered for \(other.typeName) already and cannot be registered for \
                        \(entry.typeName) too
                        """)
            }
        }
        for name in names { self.entries[name] = entry }
    }

    private func entry(of payload: StatePayload) throws(PayloadError) -> Entry {
        if let entry = self.entries[.manifest(IDKey(payload.manifest))] { return entry }
        let name: Name
        let nameInErrors: String
        let advice: String
        if let manifest = JSONManifest(parsing: payload.manifest) {
            name = .json(IDKey(manifest.name))
            nameInErrors = Self.words(for: name)
            advice = "its JSONStateCodec"
        } else {
            let content = try ProtobufPayload(payload)
            name = .message(IDKey(content.messageName))
            nameInErrors = "the message \(content.nameInErrors)"
            advice = "the message's Swift type"
        }
        guard let entry = self.entries[name] else {
            throw PayloadError(
                .unknownType,
                message: """
                    no type is registered for \(nameInErrors); call register(_:) with \(advice) before reading it; \
                    \(self.entries.count) names are registered
                    """, manifest: payload.manifest)
        }
        return entry
    }

    private static func decode(_ payload: StatePayload, with entry: Entry) throws(PayloadError) -> any Sendable {
        do { return try entry.decode(payload) } catch let error as PayloadError { throw error } catch {
            throw PayloadError(
                .malformed, message: "the codec of \(entry.typeName) could not read \(payload.bytes.count) bytes",
                manifest: payload.manifest, underlying: error)
        }
    }

    private static func words(for name: Name) -> String {
        switch name {
        case .json(let key): "the JSON state \(key.id.debugDescription)"
        case .message(let key): "the message \(key.id)"
        case .manifest(let key): "the manifest \(key.id.debugDescription)"
        }
    }
}
