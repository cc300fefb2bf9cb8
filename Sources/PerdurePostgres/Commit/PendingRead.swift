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
