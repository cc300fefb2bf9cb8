/// A change of a state or of runs that waits for its turn, and whoever waits for it.
struct WriteJob: Sendable {
    let work: Work
    /// When it came, in ticks of the store's deadline.
    let arrival: UInt32
    let answer: Answer

    /// What is to be done.
    enum Work: Sendable {
        case write(DurableState, WriteCondition)
        case delete(String, WriteCondition)
        case runs(RunWrite)

        var weight: Int {
            switch self {
            case .write(let state, _): state.payload.bytes.count
            case .delete: 0
            case .runs(let write): write.weight
            }
        }

        var operation: StoreError.Operation {
            switch self {
            case .write: .write
            case .delete: .delete
            case .runs(let write): write.operation
            }
        }

        var id: String {
            switch self {
            case .write(let state, _): state.persistenceID
            case .delete(let id, _): id
            case .runs(let write): write.subject
            }
        }
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
    var weight: Int { self.work.weight }
    var operation: StoreError.Operation { self.work.operation }
    /// The ID of the state, run or worker that it is about.
    var id: String { self.work.id }

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
    /// Done, with a number that it gave.
    case counted(UInt64)
    /// Done, with more that it gave.
    case answered(RunAnswer)
    /// The condition does not hold; the version that is there.
    case conflict(stored: UInt64)
    case failed(Failure)

    /// An error in a box: errors are large, and seldom.
    final class Failure: Sendable {
        let error: StoreError
        init(_ error: StoreError) { self.error = error }
    }

    static func failed(_ error: StoreError) -> WriteVerdict { .failed(Failure(error)) }

    var isDone: Bool {
        switch self {
        case .done, .counted, .answered: true
        case .conflict, .failed: false
        }
    }

    /// Throws what a caller should see.
    func check(
        _ operation: StoreError.Operation, _ id: String, _ condition: WriteCondition
    ) throws(StoreError) {
        switch self {
        case .done, .counted, .answered: return
        case .conflict(let stored): throw .conflict(operation, of: id, condition: condition, stored: stored)
        case .failed(let failure): throw failure.error
        }
    }
}
