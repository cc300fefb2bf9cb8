internal import PerdureState

/// A read of one ID on its way.
///
/// `@unchecked Sendable`: the caller makes it and hands it over under a lock; from then on only the loop's thread touches it.
final class PendingRead: @unchecked Sendable {
    typealias Answer = Result<DurableState?, StoreError>

    /// Who gets the answer.
    enum Caller {
        case one(UnsafeContinuation<Answer, Never>)
        case place(Gathering<Answer>, Int)
    }

    let id: String
    let deadline: Duration
    private let caller: Caller

    init(_ id: String, deadline: Duration, caller: Caller) {
        self.id = id
        self.deadline = deadline
        self.caller = caller
    }

    func answer(_ answer: Answer) {
        switch self.caller {
        case .one(let continuation): continuation.resume(returning: answer)
        case .place(let gathering, let index): gathering.put(answer, at: index)
        }
    }
}

/// Any other question to the server: a statement, and what is to be made of its rows.
///
/// Asked again when no answer comes.
///
/// `@unchecked Sendable`: the caller makes it and hands it over under a lock; from then on only the loop's thread touches it.
final class Inquiry: @unchecked Sendable {
    let operation: StoreError.Operation
    let deadline: Duration
    /// The statement and its parameters; nil when finding the tables was all.
    let step: @Sendable (StateStatements) -> Exchange.Step?
    private var rows: [String] = []
    private let continuation: UnsafeContinuation<Result<[String], StoreError>, Never>

    init(
        _ operation: StoreError.Operation, deadline: Duration,
        _ continuation: UnsafeContinuation<Result<[String], StoreError>, Never>,
        step: @escaping @Sendable (StateStatements) -> Exchange.Step?
    ) {
        self.operation = operation
        self.deadline = deadline
        self.step = step
        self.continuation = continuation
    }

    /// Keeps the first column of an answer's rows.
    func receive(_ rows: borrowing ServerResult) {
        self.rows.removeAll()
        for row in 0..<rows.rowCount { self.rows.append(rows.text(row, 0)) }
    }

    func answer(_ error: StoreError?) {
        self.continuation.resume(returning: error.map { .failure($0) } ?? .success(self.rows))
    }
}
