internal import Synchronization

/// The unique name of one write, kept in its row: by it a write whose answer was lost is known again.
///
/// A `uuid` on the wire.
struct WriteID: Hashable, Sendable {
    let high: UInt64
    let low: UInt64
}

/// Makes write IDs: a random start, then counting up, so that no two processes meet and none asks for randomness per write.
final class WriteIDGenerator: Sendable {
    private let high = UInt64.random(in: .min ... .max)
    private let low = Atomic<UInt64>(UInt64.random(in: .min ... .max))

    func next() -> WriteID { WriteID(high: self.high, low: self.low.wrappingAdd(1, ordering: .relaxed).newValue) }
}
