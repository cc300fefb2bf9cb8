/// Where a listing has got to in each of the parts of the table that it reads side by side.
///
/// It knows its number of parts itself, so that a listing goes on as it began when the setting is another one meanwhile.
struct ListingPlace: Equatable, Sendable {
    enum Segment: Equatable, Sendable {
        case untouched
        /// After the item with this key.
        case after(String)
        case finished
    }

    var segments: [Segment]

    /// The beginning.
    init(segmentCount: Int) { self.segments = Array(repeating: .untouched, count: segmentCount) }

    var isAtEnd: Bool { self.segments.allSatisfy { $0 == .finished } }
    var unfinished: [Int] { self.segments.indices.filter { self.segments[$0] != .finished } }

    // MARK: As text

    private static let mark = "perdure:"

    /// With one part, the key; with several, a mark, each part's place, and a checksum, by which it is told from any key.
    var text: String {
        if self.segments.count == 1, case .after(let key) = self.segments[0] { return key }
        let buffer = ByteBuffer()
        buffer.append(Self.mark)
        for segment in self.segments {
            switch segment {
            case .untouched: buffer.append("-,")
            case .finished: buffer.append(".,")
            case .after(let key):
                Array(key.utf8).withUnsafeBytes { buffer.append(hex: $0) }
                buffer.append(UInt8(ascii: ","))
            }
        }
        buffer.append(String(CRC32.checksum(buffer.bytes)))
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    /// Reads what ``text`` gave. Whatever else it is, it is a key.
    init(_ text: String) {
        self.segments = Self.segments(text) ?? [.after(text)]
    }

    private static func segments(_ text: String) -> [Segment]? {
        guard text.utf8.starts(with: Self.mark.utf8), let end = text.utf8.lastIndex(of: UInt8(ascii: ",")) else {
            return nil
        }
        let checked = text.utf8[...end]
        guard let sum = UInt32(Substring(text.utf8[text.utf8.index(after: end)...])),
            Array(checked).withUnsafeBytes({ CRC32.checksum($0) }) == sum
        else { return nil }
        var segments: [Segment] = []
        for part in checked.dropFirst(Self.mark.utf8.count).dropLast().split(
            separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        {
            switch part.first {
            case UInt8(ascii: "-"): segments.append(.untouched)
            case UInt8(ascii: "."): segments.append(.finished)
            default:
                guard let key = Self.key(Array(part)) else { return nil }
                segments.append(.after(key))
            }
        }
        return segments
    }

    private static func key(_ hex: [UInt8]) -> String? {
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: hex.count - hex.count % 2, by: 2) {
            guard let byte = UInt8(String(decoding: hex[start..<start + 2], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
