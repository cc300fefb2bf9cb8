/// A random number generator that gives the same numbers for the same seed, on every machine and in every release.
///
/// SplitMix64: a counter with a good mixer. Quick and well spread; not for secrets.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Begins the sequence of `seed`; every seed is a good one, 0 too.
    public init(seed: UInt64) { self.state = seed }

    /// Begins a sequence of its own for `stream` under `seed`, so that concurrent tasks each have theirs.
    public init(seed: UInt64, stream: UInt64) {
        var streams = SeededGenerator(seed: stream)
        self.state = seed ^ streams.next()
    }

    /// The next number of the sequence.
    public mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// The next `count` bytes of the sequence.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        precondition(count >= 0, "a number of bytes cannot be negative")
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            var word: UInt64 = 0
            for index in 0..<count {
                if index % 8 == 0 { word = self.next() }
                buffer.initializeElement(at: index, to: UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
            initialized = count
        }
    }

    /// True with a probability of `probability`, which is 0 to 1.
    public mutating func chance(_ probability: Double) -> Bool {
        Double(self.next() >> 11) * 0x1p-53 < probability
    }
}
