/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func bytes(upTo count: Int) -> [UInt8] {
        (0..<Int.random(in: 0...count, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    mutating func text(upTo count: Int) -> String {
        let alphabet: [Character] = [
            "a", "Z", "0", "\"", "\\", "/", "\n", "\0", "é", "e\u{301}", "🛩️", "𝄞", " ", "<", "\u{2028}",
        ]
        return String(
            (0..<Int.random(in: 0...count, using: &self)).map { _ in alphabet.randomElement(using: &self) ?? "?" })
    }

    /// Prints a seed, so that a failure can be run again with it: from `PERDURE_SEED`, or a new one.
    static func printedSeed(_ test: String, from environment: String? = environmentSeed) -> UInt64 {
        let seed = environment.flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
        print("\(test): PERDURE_SEED=\(seed)")
        return seed
    }
}
