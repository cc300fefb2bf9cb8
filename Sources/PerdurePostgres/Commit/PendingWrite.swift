internal import PerdureConcurrency
internal import PerdureState

/// A write or delete on its way: what is asked, and what is known of it so far.
///
/// `@unchecked Sendable`: the caller makes it and hands it over under a lock; from then on only the loop's thread touches it.
final class PendingWrite: @unchecked Sendable {
    /// The statement that does it. Raw values are the kinds of the batcher.
    enum Change: Int {
        case replace, create, put, remove

        static let count = 4
    }

    /// Who gets the answer: nil for success.
    enum Caller {
        case one(UnsafeContinuation<StoreError?, Never>)
        case place(Gathering<StoreError?>, Int)
    }

    let state: DurableState
    let condition: WriteCondition
    let operation: StoreError.Operation
    let id: WriteID
    let deadline: Duration
    private let caller: Caller

    /// How often it was sent.
    var attempts = 0
    /// Whether an answer was lost: then it may have happened, or may yet.
    var mayHaveHappened = false
    /// Whether it is only looked for, because sending it again could hit later writes; and how often it was.
    var isSought = false
    var looks = 0
    /// Whether it held its neighbours up: it travels alone from then on.
    var travelsAlone = false

    init(
        _ state: DurableState, if condition: WriteCondition, _ operation: StoreError.Operation, id: WriteID,
        deadline: Duration, caller: Caller
    ) {
        self.state = state
        self.condition = condition
        self.operation = operation
        self.id = id
        self.deadline = deadline
        self.caller = caller
    }

    var key: IDKey { IDKey(self.state.persistenceID) }
    var persistenceID: String { self.state.persistenceID }

    var change: Change {
        if self.operation == .delete { return .remove }
        return switch self.condition {
        case .version: .replace
        case .absent: .create
        case .always: .put
        }
    }

    /// Its line in the batcher.
    var kind: Int { self.change.rawValue + (self.travelsAlone ? Change.count : 0) }

    /// About what it adds to a message.
    var weight: Int { self.state.payload.bytes.count + 128 }

    /// Whether it can be sent again after an answer was lost, without ever happening twice or late.
    ///
    /// Nothing holds an unconditional change back: sent again it could hit what others wrote after it, so it is looked for instead.
    func isRepeatable(_ layout: TableLayout?) -> Bool {
        guard self.leavesTraces(layout) else { return false }
        if case .always = self.condition { return false }
        return true
    }

    /// Whether its own trace may be found in the table.
    func leavesTraces(_ layout: TableLayout?) -> Bool { layout?.isExtended ?? true }

    func answer(_ error: StoreError?) {
        switch self.caller {
        case .one(let continuation): continuation.resume(returning: error)
        case .place(let gathering, let index): gathering.put(error, at: index)
        }
    }
}

/// Collects the answers to a batch of a caller's own, and resumes the caller with the last.
final class Gathering<Answer: Sendable>: Sendable {
    private struct State {
        var answers: [Answer?]
        var missing: Int
    }

    private let state: LockedState<State>
    private let continuation: UnsafeContinuation<[Answer], Never>

    /// For `count` answers, at least one.
    init(count: Int, _ continuation: UnsafeContinuation<[Answer], Never>) {
        self.state = LockedState(State(answers: Array(repeating: nil, count: count), missing: count))
        self.continuation = continuation
    }

    func put(_ answer: Answer, at index: Int) {
        let all: [Answer]? = self.state.withLock { state in
            state.answers[index] = .some(answer)
            state.missing -= 1
            return state.missing == 0 ? state.answers.compactMap { $0 } : nil
        }
        if let all { self.continuation.resume(returning: all) }
    }
}
