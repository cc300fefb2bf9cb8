/// A payload in one of the two layouts, taken apart: the name of a message and its bytes.
struct ProtobufPayload {
    /// The full name of the message.
    let messageName: String
    /// The name, fit for an error. Bytes of a message under the manifest of an Any look like an Any with an odd URL; what looks like
    /// the name is data then, and such a URL has no slash.
    let nameInErrors: String
    /// The message's own bytes.
    let message: [UInt8]

    /// Takes a payload apart, whichever of the two layouts it has.
    ///
    /// - Throws: ``PayloadError`` when the manifest belongs to no protobuf layout, when an Any cannot be read, names no type or is empty.
    init(_ payload: StatePayload) throws(PayloadError) {
        guard IDKey(payload.manifest) == Self.anyManifest else {
            if ProtobufAny.violation(inMessageName: payload.manifest) != nil {
                throw PayloadError(
                    .unknownManifest,
                    message: """
                        the manifest of a protobuf state is \(ProtobufAny.messageName) or the full name of a message; another \
                        codec wrote this state
                        """, manifest: payload.manifest)
            }
            self.messageName = payload.manifest
            self.nameInErrors = payload.manifest
            self.message = payload.bytes
            return
        }
        if payload.bytes.isEmpty {
            throw PayloadError(
                .noState, message: "there are no bytes: eGo stores a nil state so", manifest: payload.manifest)
        }
        let parts = try payload.bytes.withUnsafeBytes(Self.parts(of:)).get()
        self.messageName = parts.messageName
        self.nameInErrors = parts.hasSlash ? parts.messageName : "type that its URL names without a slash"
        self.message = Array(payload.bytes[parts.message])
    }

    static let anyManifest = IDKey(ProtobufAny.messageName)

    private struct Parts {
        let messageName: String
        let hasSlash: Bool
        let message: Range<Int>
    }

    // A result, because closures that rethrow typed errors lose the type in Swift 6.0.
    private static func parts(of bytes: UnsafeRawBufferPointer) -> Result<Parts, PayloadError> {
        let any: ProtobufAny
        do { any = try ProtobufAny(parsing: bytes) } catch {
            return .failure(
                PayloadError(
                    .malformed, message: "\(bytes.count) bytes are not a \(ProtobufAny.messageName): \(error)",
                    manifest: ProtobufAny.messageName, underlying: error))
        }
        let range = any.typeName(in: bytes)
        let name = UnsafeRawBufferPointer(rebasing: bytes[range])
        guard ProtobufAny.isMessageName(name) else {
            return .failure(
                PayloadError(
                    .malformed,
                    message: """
                        \(bytes.count) bytes are a \(ProtobufAny.messageName) that names no type; perhaps they are a message's \
                        own bytes, stored under the wrong manifest
                        """, manifest: ProtobufAny.messageName))
        }
        return .success(
            Parts(
                messageName: String(decoding: name, as: UTF8.self), hasSlash: range.lowerBound > any.typeURL.lowerBound,
                message: any.value))
    }
}
