internal import PerdureConcurrency
internal import PerdureModel

/// Lets conditional writes of one partition go one after the other, in the order in which they came.
///
/// Lightweight transactions that meet in a partition refuse each other and wait for random times, and some of them never learn
/// what became of them. Those of one process need not meet.
///
/// Nobody waits beyond their own deadline: whoever came before has an earlier one.
final class PartitionTurns: Sendable {
    enum Partition: Hashable, Sendable {
        case id(IDKey)
        case shard(Int64)
    }

    /// The waiters by partition; a partition is in here as long as somebody has its turn.
    private let waiting = LockedState<[Partition: FIFO<CheckedContinuation<Void, Never>>]>([:])

    func take(_ partition: Partition) async {
        let isFree = self.waiting.withLock { $0.begins(partition) }
        if isFree { return }
        await withCheckedContinuation { continuation in
            let isMine = self.waiting.withLock { waiting in
                if waiting.begins(partition) { return true }
                waiting[partition]?.append(continuation)
                return false
            }
            if isMine { continuation.resume() }
        }
    }

    func leave(_ partition: Partition) {
        let next = self.waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
            if let next = waiting[partition]?.popFirst() { return next }
            waiting[partition] = nil
            return nil
        }
        next?.resume()
    }
}

extension [PartitionTurns.Partition: FIFO<CheckedContinuation<Void, Never>>] {
    /// Whether nobody had the turn; then it is taken.
    fileprivate mutating func begins(_ partition: PartitionTurns.Partition) -> Bool {
        guard self[partition] == nil else { return false }
        self[partition] = FIFO()
        return true
    }
}
