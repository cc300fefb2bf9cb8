/// eGo's message `egopb.DurableState`: what its publishers and subscribers exchange.
///
/// | field | | type |
/// |---|---|---|
/// | 1 | `persistence_id` | string |
/// | 2 | `version_number` | uint64 |
/// | 3 | `resulting_state` | google.protobuf.Any |
/// | 5 | `timestamp` | int64, nanoseconds in today's eGo |
/// | 6 | `shard` | uint64 |
package struct EgoDurableState: Equatable, Sendable {
    package var persistenceID: String
    package var versionNumber: UInt64
    /// The bytes of the Any; nil where there is no state.
    package var resultingState: [UInt8]?
    /// As it stands in the message; see ``StoredTimestamp`` for the units.
    package var timestamp: Int64
    package var shard: UInt64

    package init(
        persistenceID: String, versionNumber: UInt64, resultingState: [UInt8]?, timestamp: Int64, shard: UInt64
    ) {
        self.persistenceID = persistenceID
        self.versionNumber = versionNumber
        self.resultingState = resultingState
        self.timestamp = timestamp
        self.shard = shard
    }

    /// The message in `bytes`; fields that are not known, or of an unexpected wire type, are ignored.
    ///
    /// - Throws: ``PayloadError`` with ``PayloadError/Code/malformed`` when they are no message.
    package init(protobufBytes bytes: [UInt8]) throws(PayloadError) {
        self.init(persistenceID: "", versionNumber: 0, resultingState: nil, timestamp: 0, shard: 0)
        do {
            try bytes.withUnsafeBytes { (buffer: UnsafeRawBufferPointer) in
                var reader = ProtobufReader(buffer)
                while let field = try reader.next() {
                    switch (field.number, field.value) {
                    case (1, .bytes(let range)): self.persistenceID = try reader.string(range)
                    case (2, .varint(let value)): self.versionNumber = value
                    // A message that stands there twice is merged, and putting the bytes together does it.
                    case (3, .bytes(let range)): self.resultingState = (self.resultingState ?? []) + buffer[range]
                    case (5, .varint(let value)): self.timestamp = Int64(bitPattern: value)
                    case (6, .varint(let value)): self.shard = value
                    default: continue
                    }
                }
            }
        } catch {
            throw PayloadError(
                .malformed, message: "\(bytes.count) bytes are not an egopb.DurableState: \(error)", underlying: error)
        }
    }

    /// The message in protobuf's binary format.
    package func protobufBytes() -> [UInt8] {
        var writer = ProtobufWriter(
            reserving: self.persistenceID.utf8.count + (self.resultingState?.count ?? 0) + 48)
        writer.write(self.persistenceID, field: 1)
        writer.write(self.versionNumber, field: 2)
        if let state = self.resultingState { writer.write(message: state, field: 3) }
        writer.write(self.timestamp, field: 5)
        writer.write(self.shard, field: 6)
        return writer.bytes
    }

    /// The bytes of the Any for a payload of either layout, for ``resultingState``; nil where the payload holds no state.
    ///
    /// - Throws: ``PayloadError`` with ``PayloadError/Code/unknownManifest`` when the payload is no protobuf: eGo cannot carry it.
    package static func anyBytes(of payload: StatePayload) throws(PayloadError) -> [UInt8]? {
        if IDKey(payload.manifest) == ProtobufPayload.anyManifest {
            return payload.bytes.isEmpty ? nil : payload.bytes
        }
        let content = try ProtobufPayload(payload)
        return ProtobufAny.Header(typeName: content.messageName).wrap(content.message)
    }
}
