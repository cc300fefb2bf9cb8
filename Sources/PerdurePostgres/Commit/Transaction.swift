internal import PerdureIO
internal import PerdureState

/// Statements that are run in their order as one transaction, all or nothing, in one round trip.
///
/// How every part of the store that has statements of its own asks for them; see `Documentation/decisions/postgres-transactions.md`.
/// A plain value. It is sent on any free connection of the store's pool, and again as ``repetition`` allows.
struct Transaction<Answer: Sendable>: Sendable {
    /// What errors say was being done.
    var operation: StoreError.Operation
    /// The ID that errors name, if it is about one.
    var persistenceID: String?
    var repetition: Repetition
    var steps: [Exchange.Step]
    /// The answer before any row has come.
    var answer: Answer
    /// Takes a step's rows into the answer, on the loop, in the order of the steps; begins anew with each attempt.
    var receive: @Sendable (_ answer: inout Answer, _ step: Int, _ rows: borrowing ServerResult) -> Void
}

/// What may be done with a transaction whose answer was lost.
enum Repetition: Sendable {
    /// It changes nothing: sent again, and never of unknown outcome.
    case reading
    /// The same again finds what the first has done and answers as the first would have, even should the first come late:
    /// sent again.
    case idempotent
    /// Nothing would keep it from being done twice: its outcome stays unknown.
    case once
}

/// A transaction on its way.
///
/// `@unchecked Sendable`: it is made and handed over under a lock, or on the loop; from then on only the loop's thread touches it.
final class PendingTransaction: @unchecked Sendable {
    enum End {
        case done
        /// With `isOfOneRow`, one of the rows is to blame, or a lock on it: a batch may succeed without it.
        case failed(StoreError, isOfOneRow: Bool)
    }

    /// Statements without the tables of states, or made for them.
    enum Steps {
        case fixed([Exchange.Step])
        case onStates(@Sendable (StateStatements) -> [Exchange.Step])
    }

    let operation: StoreError.Operation
    let persistenceID: String?
    let isReading: Bool
    let isRepeatable: Bool
    /// Whether who asks splits batches: then refusals of one row are told at once.
    let isDivisible: Bool
    let deadline: Duration
    let steps: Steps
    /// Forgets what an earlier attempt received.
    let begin: () -> Void
    let receive: (_ step: Int, _ rows: borrowing ServerResult) -> Void
    private let finish: (End) -> Void
    /// Whether an answer was lost: then it may have happened, or may yet.
    var mayHaveHappened = false
    var attempts = 0

    /// A transaction that tells `finish` its answer, on the loop.
    init<Answer>(
        _ transaction: Transaction<Answer>, steps: Steps? = nil, isDivisible: Bool = false, deadline: Duration,
        finish: @escaping (Answer, End) -> Void
    ) {
        self.operation = transaction.operation
        self.persistenceID = transaction.persistenceID
        self.isReading = transaction.repetition == .reading
        self.isRepeatable = transaction.repetition != .once
        self.isDivisible = isDivisible
        self.deadline = deadline
        self.steps = steps ?? .fixed(transaction.steps)
        let box = Box(transaction.answer)
        self.begin = { box.content = transaction.answer }
        self.receive = { step, rows in transaction.receive(&box.content, step, rows) }
        self.finish = { end in finish(box.content, end) }
    }

    private final class Box<Content> {
        var content: Content
        init(_ content: Content) { self.content = content }
    }

    func end() { self.finish(.done) }

    func end(_ error: StoreError, isOfOneRow: Bool = false) {
        let outcome: StoreError.Outcome = self.mayHaveHappened && !self.isReading ? .unknown : .notApplied
        self.finish(
            .failed(
                error.with(operation: self.operation, persistenceID: self.persistenceID, outcome: outcome),
                isOfOneRow: isOfOneRow))
    }
}
