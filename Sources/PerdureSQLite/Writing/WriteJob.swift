/// A write or a delete that waits for its turn, and whoever waits for it.
struct WriteJob: Sendable {
    /// What is to be stored; of a delete only the ID counts.
    let state: DurableState
    let condition: WriteCondition
    let kind: Kind
    /// When it came, in ticks of the store's deadline.
    let arrival: UInt32
    let answer: Answer

    enum Kind: Sendable {
        case write, delete
    }

    /// Who waits.
    enum Answer: Sendable {
        // Unsafe, so without a check that it is resumed exactly once: a checked one allocates, and this is the hot path.
        // ``WriteBatch`` sees to it that it happens once.
        case one(UnsafeContinuation<WriteVerdict?, Never>)
        /// One of several that were asked for together.
        case member(WriteCollector, Int)
    }

    /// What it adds to a batch, in bytes.
    var weight: Int { self.state.payload.bytes.count }

    var operation: StoreError.Operation { self.kind == .write ? .write : .delete }

    func finish(_ verdict: WriteVerdict) {
        switch self.answer {
        case .one(let continuation): continuation.resume(returning: verdict)
        case .member(let collector, let index): collector.finish(index, verdict)
        }
    }
}

/// What became of a write.
///
/// One word of payload, so that it travels cheaply.
enum WriteVerdict: Sendable {
    case done
    /// The condition does not hold; the version that is there.
    case conflict(stored: UInt64)
    case failed(Failure)

    /// An error in a box: errors are large, and seldom.
    final class Failure: Sendable {
        let error: StoreError
        init(_ error: StoreError) { self.error = error }
    }

    static func failed(_ error: StoreError) -> WriteVerdict { .failed(Failure(error)) }

    var isDone: Bool { if case .done = self { true } else { false } }

    /// Throws what a caller should see.
    func check(
        _ operation: StoreError.Operation, _ id: String, _ condition: WriteCondition
    ) throws(StoreError) {
        switch self {
        case .done: return
        case .conflict(let stored): throw .conflict(operation, of: id, condition: condition, stored: stored)
        case .failed(let failure): throw failure.error
        }
    }
}
