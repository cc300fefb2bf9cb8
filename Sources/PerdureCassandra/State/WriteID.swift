internal import PerdureCQLClient
internal import Synchronization

/// Makes write IDs, the unique names of writes: by it a write whose answer was lost is known again.
///
/// A random start, then counting up: no two processes meet, and none asks for randomness per write.
final class WriteIDGenerator: Sendable {
    private let high = UInt64.random(in: .min ... .max)
    private let low = Atomic<UInt64>(UInt64.random(in: .min ... .max))

    func next() -> CQLUUID { CQLUUID(high: self.high, low: self.low.wrappingAdd(1, ordering: .relaxed).newValue) }
}

/// Makes timestamps for writes of which the latest wins: microseconds since 1970, each greater than the one before.
final class TimestampGenerator: Sendable {
    private let last = Atomic<Int64>(0)

    func next(_ now: Int64) -> Int64 {
        var last = self.last.load(ordering: .relaxed)
        while true {
            let (exchanged, original) = self.last.compareExchange(
                expected: last, desired: max(now, last + 1), ordering: .relaxed)
            if exchanged { return max(now, original + 1) }
            last = original
        }
    }
}
