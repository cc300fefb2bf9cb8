/// The bytes of a state, and the name that says how to read them.
public struct StatePayload: Sendable, Hashable {
    /// Names the type, its encoding and its schema version; at most 255 bytes of UTF-8 on every store.
    public var manifest: String
    /// The encoded state; may be empty.
    public var bytes: [UInt8]

    /// Makes a payload of bytes and their manifest.
    public init(manifest: String, bytes: [UInt8]) {
        self.manifest = manifest
        self.bytes = bytes
    }

    /// The longest manifest, in bytes of UTF-8.
    public static let maximumManifestByteCount = 255

    /// Payloads are equal when manifest and contents are the same bytes.
    public static func == (left: StatePayload, right: StatePayload) -> Bool {
        left.manifest.utf8.elementsEqual(right.manifest.utf8) && left.bytes == right.bytes
    }
}
