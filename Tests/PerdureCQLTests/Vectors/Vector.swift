import Testing

/// Bytes that another implementation made, by name.
enum Vector {
    static let all: [(key: String, value: String)] = {
        var all: [(key: String, value: String)] = []
        for line in vectorText.split(separator: "\n") {
            if line.hasPrefix(" ") {
                let last = all.count - 1
                let separator = all[last].key.hasPrefix("ring.") && !all[last].value.isEmpty ? " " : ""
                all[last].value += separator + line.dropFirst()
            } else if let equals = line.firstIndex(of: "=") {
                all.append(
                    (String(line[..<equals].dropLast()), String(line[line.index(after: equals)...].drop { $0 == " " })))
            }
        }
        return all
    }()

    private static let byKey = Dictionary(uniqueKeysWithValues: Self.all.map { ($0.key, $0.value) })

    static func text(_ key: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        try #require(Self.byKey[key], "no vector '\(key)'", sourceLocation: sourceLocation)
    }

    static func bytes(_ key: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> [UInt8] {
        [UInt8](hex: try Self.text(key, sourceLocation: sourceLocation))
    }
}

extension Array where Element == UInt8 {
    init(hex: String) {
        let digits = hex.utf8.map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
        self = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    var hex: String {
        self.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }
}

/// A generator whose numbers are the same in every run (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { self.state = seed }
    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
