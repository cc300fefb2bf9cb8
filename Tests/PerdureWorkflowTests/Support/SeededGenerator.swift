import Glibc

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

    /// Prints a seed, so that a failure can be run again with it: from `PERDURE_SEED`, or a new one.
    static func printedSeed(_ test: String) -> UInt64 {
        let environment = getenv("PERDURE_SEED").map { String(cString: $0) }
        let seed = environment.flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
        print("\(test): PERDURE_SEED=\(seed)")
        return seed
    }
}
