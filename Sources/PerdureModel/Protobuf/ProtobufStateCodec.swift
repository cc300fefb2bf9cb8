/// How protobuf states are written; both layouts are always read.
public enum ProtobufLayout: Sendable, Hashable {
    /// A `google.protobuf.Any` with the message in it, under the manifest `google.protobuf.Any`: what eGo writes and reads.
    case any
    /// The message's own bytes under the message's full name: what eGo's documentation describes and eGo cannot read.
    case message
}

/// States as protobuf messages, in tables that eGo services share.
///
/// There are two layouts. Which is written is a setting; **both are always read.**
///
/// | ``ProtobufLayout`` | manifest | bytes |
/// |---|---|---|
/// | ``ProtobufLayout/any`` | `google.protobuf.Any` | a `google.protobuf.Any` with the message in it: what eGo writes and reads |
/// | ``ProtobufLayout/message`` | the message's full name | the message's own bytes: what eGo's documentation describes and eGo cannot read |
///
/// Another message than ``State`` is an error that names both, never a message without fields.
public struct ProtobufStateCodec<State: ProtobufMessage>: StateCodec {
    /// How states are written; both layouts are read.
    public let layout: ProtobufLayout
    /// The manifest that is written.
    public let manifest: String

    private let messageName: String
    /// What goes around the message; nil in the layout that puts nothing there.
    private let header: ProtobufAny.Header?
    private let sources: [IDKey: ProtobufMigrations<State>.Source]
    /// Why nothing can be written or read. Only where the message's own name breaks a rule, which a generated one cannot.
    private let fault: PayloadError?

    /// A codec that writes the given layout.
    ///
    /// A message whose ``ProtobufMessage/protoMessageName`` is no protobuf name, or longer than 255 bytes, can be neither encoded nor
    /// decoded: each attempt throws ``PayloadError/Code/misconfigured``.
    public init(layout: ProtobufLayout = .any) {
        self.init(layout: layout, sources: [:])
    }

    /// A codec that writes the given layout, and reads older messages too.
    ///
    /// - Throws: ``PayloadError`` with ``PayloadError/Code/misconfigured`` when two migrations begin at the same message, or one begins
    ///   at ``State`` itself.
    public init(layout: ProtobufLayout = .any, migrating migrations: ProtobufMigrations<State>) throws(PayloadError) {
        var sources: [IDKey: ProtobufMigrations<State>.Source] = [:]
        for source in migrations.sources {
            let name = source.messageName
            let violation = ProtobufAny.violation(inMessageName: name)
            let isTaken = IDKey(name) == IDKey(State.protoMessageName) || sources[IDKey(name)] != nil
            if let reason = violation ?? (isTaken ? "two readers begin at the message \(name)" : nil) {
                throw PayloadError(
                    .misconfigured, message: "cannot build the codec of \(State.protoMessageName): \(reason)")
            }
            sources[IDKey(name)] = source
        }
        self.init(layout: layout, sources: sources)
        if let fault { throw fault }
    }

    private init(layout: ProtobufLayout, sources: [IDKey: ProtobufMigrations<State>.Source]) {
        let name = State.protoMessageName
        self.layout = layout
        self.messageName = name
        self.manifest = layout == .any ? ProtobufAny.messageName : name
        self.header = layout == .any ? ProtobufAny.Header(typeName: name) : nil
        self.sources = sources
        var reason = ProtobufAny.violation(inMessageName: name)
        if reason == nil, layout == .message, IDKey(name) == ProtobufPayload.anyManifest {
            reason = "\(name) cannot be stored in the layout .message, whose manifest would be that of the layout .any"
        }
        self.fault = reason.map { PayloadError(.misconfigured, message: $0) }
    }

    /// The full names of all messages that this codec reads.
    var messageNames: [String] { [self.messageName] + self.sources.values.map(\.messageName) }

    /// The state in the layout of this codec.
    ///
    /// Costs one allocation more than the message's own serialization in the layout ``ProtobufLayout/any``, and none in ``ProtobufLayout/message``.
    ///
    /// - Throws: ``PayloadError`` with ``PayloadError/Code/encodingFailed`` when the message cannot be serialized.
    public func encode(_ state: State) throws(PayloadError) -> StatePayload {
        if let fault { throw fault }
        let message: [UInt8]
        do { message = try state.protobufBytes() } catch {
            throw PayloadError(
                .encodingFailed, message: "the message \(self.messageName) could not be serialized",
                manifest: self.manifest,
                underlying: error)
        }
        return StatePayload(manifest: self.manifest, bytes: self.header?.wrap(message) ?? message)
    }

    /// The state in a payload of either layout.
    ///
    /// - Throws: ``PayloadError``: ``PayloadError/Code/unknownManifest``, ``PayloadError/Code/wrongType``, ``PayloadError/Code/noState``
    ///   (eGo's nil state), ``PayloadError/Code/malformed`` or ``PayloadError/Code/migrationFailed``.
    public func decode(_ payload: StatePayload) throws(PayloadError) -> State {
        if let fault { throw fault }
        let content = try ProtobufPayload(payload)
        let found = IDKey(content.messageName)
        do {
            if found == IDKey(self.messageName) { return try State(protobufBytes: content.message) }
            if let source = self.sources[found] { return try source.read(content.message) }
        } catch let failure as ProtobufMigrationFailure {
            throw PayloadError(
                .migrationFailed, message: "the migration from the message \(failure.messageName) threw",
                manifest: payload.manifest, underlying: failure.underlying)
        } catch {
            throw PayloadError(
                .malformed, message: "\(content.message.count) bytes cannot be read as a \(content.messageName)",
                manifest: payload.manifest, underlying: error)
        }
        throw PayloadError(
            .wrongType,
            message: """
                a \(self.messageName) was expected, and the payload holds a \(content.nameInErrors); if one replaced the \
                other, give the codec a migration
                """, manifest: payload.manifest)
    }
}
