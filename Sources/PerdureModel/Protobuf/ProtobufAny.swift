/// `google.protobuf.Any`: a message, and the URL that names its type.
///
/// Only where the two lie is kept, so that nothing is copied before it is known to be wanted.
package struct ProtobufAny: Equatable, Sendable {
    /// The message's own full name, and the manifest under which eGo stores all its states.
    package static let messageName = "google.protobuf.Any"
    /// What eGo puts before the type's name. Readers look at no prefix, only at what follows the last slash.
    package static let typeURLPrefix = "type.googleapis.com/"

    /// Where the type URL lies; empty where there is none.
    package private(set) var typeURL = 0..<0
    /// Where the message lies; empty where there is none, which is how an empty message looks.
    package private(set) var value = 0..<0

    /// Finds the fields, in whatever order; of a field that stands there twice the last counts.
    package init(parsing bytes: UnsafeRawBufferPointer) throws(ProtobufReader.Failure) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, .bytes(let range)): self.typeURL = range
            case (2, .bytes(let range)): self.value = range
            default: continue
            }
        }
    }

    /// Where the name of the type lies: what follows the last slash of the URL.
    package func typeName(in bytes: UnsafeRawBufferPointer) -> Range<Int> {
        let slash = bytes[self.typeURL].lastIndex(of: UInt8(ascii: "/"))
        return (slash.map { $0 + 1 } ?? self.typeURL.lowerBound)..<self.typeURL.upperBound
    }

    /// Everything of an Any that comes before the length of its value, for messages of one type.
    package struct Header: Sendable {
        /// Field 1 with the whole URL, then the tag of field 2.
        private let bytes: [UInt8]

        package init(typeName: String) {
            var writer = ProtobufWriter()
            writer.write(ProtobufAny.typeURLPrefix + typeName, field: 1)
            self.bytes = writer.bytes + [2 << 3 | 2]
        }

        /// The Any that holds `message`, built in one allocation. An empty message has no field 2.
        package func wrap(_ message: [UInt8]) -> [UInt8] {
            if message.isEmpty { return Array(self.bytes.dropLast()) }
            let lengthCount = ProtobufWriter.byteCount(ofVarint: UInt64(message.count))
            let total = self.bytes.count + lengthCount + message.count
            return [UInt8](unsafeUninitializedCapacity: total) { buffer, count in
                var offset = 0
                self.bytes.withUnsafeBytes {
                    UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0)
                    offset += $0.count
                }
                var length = UInt64(message.count)
                while length >= 0x80 {
                    buffer[offset] = UInt8(truncatingIfNeeded: length) | 0x80
                    offset += 1
                    length >>= 7
                }
                buffer[offset] = UInt8(length)
                offset += 1
                message.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer)[offset...].copyBytes(from: $0) }
                count = total
            }
        }
    }

    /// Says which rule of protobuf's full names (`package.Message`) `name` breaks, in words, or nil when it is valid.
    package static func violation(inMessageName name: String) -> String? {
        var name = name
        return name.withUTF8 { bytes in
            if bytes.count > StatePayload.maximumManifestByteCount {
                return
                    "the full name of a message has at most \(StatePayload.maximumManifestByteCount) bytes here, this one has \(bytes.count)"
            }
            if Self.isMessageName(UnsafeRawBufferPointer(bytes)) { return nil }
            return
                "\(String(decoding: bytes, as: UTF8.self).debugDescription) is not the full name of a message, such as samplepb.Account"
        }
    }

    /// Whether `bytes` are identifiers with dots between them.
    package static func isMessageName(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var atStart = true
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
                atStart = false
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if atStart { return false }
            case UInt8(ascii: "."):
                if atStart { return false }
                atStart = true
            default:
                return false
            }
        }
        return !atStart
    }
}
