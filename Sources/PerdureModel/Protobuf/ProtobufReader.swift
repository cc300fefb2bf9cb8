/// Reads the fields of one message, one after the other, from bytes that may be anything.
///
/// Lends the bytes: the reader is good for as long as they are. What it finds is told by offsets. Nested messages are not entered;
/// groups are skipped with a bounded stack, not by recursion.
package struct ProtobufReader {
    /// A field: its number, and what stands there.
    package struct Field: Equatable, Sendable {
        package var number: Int
        package var value: Value
    }

    /// What stands in a field.
    package enum Value: Equatable, Sendable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        /// A string, bytes, a message or packed numbers: the offsets of the contents.
        case bytes(Range<Int>)
        /// A group; its contents were skipped.
        case group
    }

    /// The bytes are no message.
    package struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        package enum Reason: String, Sendable {
            case truncated = "they end in the middle of a field"
            case overlongVarint = "a number has more than 64 bits"
            case invalidTag = "a field number or wire type is not allowed"
            case unmatchedGroup = "a group ends that did not begin"
            case groupTooDeep = "groups are nested too deep"
            case invalidUTF8 = "a string is not UTF-8"
        }

        package var reason: Reason
        package var offset: Int

        package var description: String { "\(self.reason.rawValue), at offset \(self.offset)" }
    }

    /// How deep groups may be nested; the same bound as in other implementations of protobuf.
    package static let maximumGroupDepth = 100

    private let bytes: UnsafeRawBufferPointer
    /// Where the next field begins.
    package private(set) var offset = 0

    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next field, or nil at the end.
    package mutating func next() throws(Failure) -> Field? {
        guard self.offset < self.bytes.count else { return nil }
        let start = self.offset
        let (number, wireType) = try self.tag()
        switch wireType {
        case 3:
            try self.skipGroup(number, from: start)
            return Field(number: number, value: .group)
        case 4:
            throw Failure(reason: .unmatchedGroup, offset: start)
        default:
            return Field(number: number, value: try self.scalar(wireType, from: start))
        }
    }

    /// The string at `range`, which must be UTF-8.
    package func string(_ range: Range<Int>) throws(Failure) -> String {
        guard let text = String(validating: self.bytes[range], as: UTF8.self) else {
            throw Failure(reason: .invalidUTF8, offset: range.lowerBound)
        }
        return text
    }

    private mutating func scalar(_ wireType: UInt8, from start: Int) throws(Failure) -> Value {
        switch wireType {
        case 0: return .varint(try self.varint())
        case 1: return .fixed64(try self.fixed(UInt64.self))
        case 2:
            let count = try self.varint()
            guard count <= UInt64(self.bytes.count - self.offset) else {
                throw Failure(reason: .truncated, offset: start)
            }
            let range = self.offset..<self.offset + Int(count)
            self.offset = range.upperBound
            return .bytes(range)
        case 5: return .fixed32(try self.fixed(UInt32.self))
        default: throw Failure(reason: .invalidTag, offset: start)
        }
    }

    private mutating func tag() throws(Failure) -> (number: Int, wireType: UInt8) {
        let start = self.offset
        let tag = try self.varint()
        // Field numbers have 29 bits and begin at 1.
        guard tag >= 8, tag <= UInt64(UInt32.max) else { throw Failure(reason: .invalidTag, offset: start) }
        return (Int(tag >> 3), UInt8(tag & 7))
    }

    private mutating func varint() throws(Failure) -> UInt64 {
        let start = self.offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while self.offset < self.bytes.count {
            let byte = self.bytes[self.offset]
            self.offset += 1
            // The tenth byte has room for the last bit.
            if shift == 63, byte > 1 { throw Failure(reason: .overlongVarint, offset: start) }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw Failure(reason: .truncated, offset: start)
    }

    private mutating func fixed<Integer: FixedWidthInteger>(_ type: Integer.Type) throws(Failure) -> Integer {
        let size = MemoryLayout<Integer>.size
        guard self.bytes.count - self.offset >= size else { throw Failure(reason: .truncated, offset: self.offset) }
        let value = self.bytes.loadUnaligned(fromByteOffset: self.offset, as: type)
        self.offset += size
        return Integer(littleEndian: value)
    }

    private mutating func skipGroup(_ number: Int, from start: Int) throws(Failure) {
        var open = [number]
        while let innermost = open.last {
            guard self.offset < self.bytes.count else { throw Failure(reason: .truncated, offset: start) }
            let fieldStart = self.offset
            let (number, wireType) = try self.tag()
            switch wireType {
            case 3:
                guard open.count < Self.maximumGroupDepth else {
                    throw Failure(reason: .groupTooDeep, offset: fieldStart)
                }
                open.append(number)
            case 4:
                guard number == innermost else { throw Failure(reason: .unmatchedGroup, offset: fieldStart) }
                open.removeLast()
            default:
                _ = try self.scalar(wireType, from: fieldStart)
            }
        }
    }
}
