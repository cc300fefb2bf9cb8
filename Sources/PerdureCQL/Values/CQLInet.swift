/// An IP address, of version 4 or 6.
public enum CQLInet: Sendable, Hashable {
    /// Four bytes, most significant first.
    case v4(UInt32)
    /// Sixteen bytes in two halves, most significant first.
    case v6(UInt64, UInt64)

    /// Reads a numeric address, as in `127.0.0.1` or `2001:db8::1`; nil for anything else, names included.
    public init?(_ text: String) {
        if let address = Self.parseV4(text[...]) {
            self = .v4(address)
        } else if let address = Self.parseV6(text) {
            self = address
        } else {
            return nil
        }
    }

    private static func parseV4(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let byte = UInt8(part)
            else { return nil }
            address = address << 8 | UInt32(byte)
        }
        return address
    }

    private static func parseV6(_ text: String) -> CQLInet? {
        guard text.utf8.count <= 45 else { return nil }
        // What stands before and after `::`, each as groups of 16 bits.
        func groups(_ text: Substring, mayEndInV4: Bool) -> [UInt16]? {
            if text.isEmpty { return [] }
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            var groups: [UInt16] = []
            for (index, part) in parts.enumerated() {
                if index == parts.count - 1, mayEndInV4, let address = Self.parseV4(part) {
                    groups += [UInt16(address >> 16), UInt16(truncatingIfNeeded: address)]
                } else {
                    guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ Self.isHexDigit($0) }),
                        let group = UInt16(part, radix: 16)
                    else { return nil }
                    groups.append(group)
                }
            }
            return groups
        }
        var all: [UInt16]
        if let gap = text.firstRange(of: "::") {
            guard let left = groups(text[..<gap.lowerBound], mayEndInV4: false),
                let right = groups(text[gap.upperBound...], mayEndInV4: true), left.count + right.count <= 7
            else { return nil }
            all = left + [UInt16](repeating: 0, count: 8 - left.count - right.count) + right
        } else {
            guard let whole = groups(text[...], mayEndInV4: true), whole.count == 8 else { return nil }
            all = whole
        }
        func half(_ groups: ArraySlice<UInt16>) -> UInt64 { groups.reduce(0) { $0 << 16 | UInt64($1) } }
        return .v6(half(all[..<4]), half(all[4...]))
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }
}

extension CQLInet: CustomStringConvertible {
    /// The numeric form; for version 6 the short one, in lower case.
    public var description: String {
        switch self {
        case .v4(let address):
            return (0..<4).map { String((address >> (24 - 8 * UInt32($0))) & 0xFF) }.joined(separator: ".")
        case .v6(let high, let low):
            let groups =
                (0..<4).map { UInt16(truncatingIfNeeded: high >> (48 - 16 * UInt64($0))) }
                + (0..<4).map { UInt16(truncatingIfNeeded: low >> (48 - 16 * UInt64($0))) }
            // The longest run of at least two zeros becomes `::`, the first of equals.
            var longest = 0..<0
            var index = 0
            while index < 8 {
                var end = index
                while end < 8, groups[end] == 0 { end += 1 }
                if end - index > max(1, longest.count) { longest = index..<end }
                index = max(end, index + 1)
            }
            func text(_ part: ArraySlice<UInt16>) -> String {
                part.map { String($0, radix: 16) }.joined(separator: ":")
            }
            if longest.isEmpty { return text(groups[...]) }
            return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
        }
    }
}

/// An IP address and a port: where a node is.
public struct CQLEndpoint: Sendable, Hashable {
    /// The address.
    public var address: CQLInet
    /// The port.
    public var port: UInt16

    /// Makes an endpoint.
    public init(address: CQLInet, port: UInt16) {
        self.address = address
        self.port = port
    }
}

extension CQLEndpoint: CustomStringConvertible {
    /// As in `127.0.0.1:9042` and `[::1]:9042`.
    public var description: String {
        switch self.address {
        case .v4: "\(self.address):\(self.port)"
        case .v6: "[\(self.address)]:\(self.port)"
        }
    }
}

extension WireReader {
    /// `[inetaddr]`.
    mutating func inet(_ what: StaticString) throws(CQLProtocolError) -> CQLInet {
        let size = Int(try self.integer(UInt8.self, what))
        guard let address = CQLInet(bytes: try self.lend(size, what)) else {
            throw .malformed("\(what) has \(size) bytes; an address has 4 or 16")
        }
        return address
    }

    /// `[inet]`.
    mutating func endpoint(_ what: StaticString) throws(CQLProtocolError) -> CQLEndpoint {
        let address = try self.inet(what)
        let port = try self.integer(Int32.self, what)
        guard let port = UInt16(exactly: port) else { throw .malformed("\(port) is no port") }
        return CQLEndpoint(address: address, port: port)
    }
}

extension CQLInet {
    /// An address from 4 or 16 bytes.
    init?(bytes: UnsafeRawBufferPointer) {
        switch bytes.count {
        case 4: self = .v4(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
        case 16:
            self = .v6(
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        default: return nil
        }
    }
}
