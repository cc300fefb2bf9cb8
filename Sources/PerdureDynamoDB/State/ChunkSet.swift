internal import PerdureState

/// Where a payload is that is too large for one item: in chunks under a name of their own, written before anything refers to them.
struct ChunkSet: Sendable, Equatable {
    /// The write that made it; no other set ever has this name.
    var name: String
    var count: Int
    var byteCount: Int
    var manifest: String

    /// The most bytes of a chunk.
    static let chunkByteCount = StateItem.inlineLimit

    /// The attributes of a chunk: the state's ID, the set's name, and when it was written, in Unix milliseconds.
    static let owner = "ChunkOf"
    static let set = "ChunkSet"
    static let writtenAt = "WrittenAt"

    init(_ payload: StatePayload, writeID: WriteID) {
        self.init(name: writeID.text, byteCount: payload.bytes.count, manifest: payload.manifest)
    }

    init(name: String, byteCount: Int, manifest: String) {
        self.name = name
        self.byteCount = byteCount
        self.count = (byteCount + Self.chunkByteCount - 1) / Self.chunkByteCount
        self.manifest = manifest
    }

    /// Reads what ``item(manifest:)`` wrote.
    init(_ value: AttributeValue) throws(AnswerFlaw) {
        guard case .map(let item) = value, let name = item["Set"]?.text, let manifest = item["Manifest"]?.text,
            let count = item["Count"]?.digits.flatMap({ Int($0) }), (0...10_000).contains(count),
            let byteCount = item["ByteCount"]?.digits.flatMap({ Int($0) }),
            (0...count * Self.chunkByteCount).contains(byteCount)
        else { throw AnswerFlaw("the attribute \(StateItem.chunks) does not say where the chunks are") }
        (self.name, self.count, self.byteCount, self.manifest) = (name, count, byteCount, manifest)
    }

    func item(manifest: String) -> Item {
        [
            "Set": .string(self.name), "Count": .number(self.count), "ByteCount": .number(self.byteCount),
            "Manifest": .string(manifest),
        ]
    }

    func key(_ number: Int) -> String { TechnicalKey.chunk(self.name, number) }

    /// The item of one chunk of `bytes`, which belongs to the state under `id`.
    func item(_ number: Int, of bytes: [UInt8], id: String, unixMilliseconds: Int64) -> Item {
        [
            StateItem.id: .string(self.key(number)), StateItem.kind: .string("chunk"), Self.owner: .string(id),
            StateItem.payload: .binary(self.part(number, of: bytes)), Self.set: .string(self.name),
            Self.writtenAt: .number(unixMilliseconds),
        ]
    }

    /// The bytes of one chunk.
    func part(_ number: Int, of bytes: [UInt8]) -> [UInt8] {
        let start = number * Self.chunkByteCount
        return Array(bytes[start..<min(start + Self.chunkByteCount, bytes.count)])
    }
}
