/// What several callers asked of the state under one persistence ID, and what they were told, with the order of beginnings and ends.
///
/// ``HistoryRecorder`` makes one of real calls; ``LinearizabilityChecker`` says whether there is an explanation for it.
public struct StateHistory: Sendable, Hashable {
    /// A request.
    public enum Request: Sendable, Hashable {
        /// Reading the state.
        case read
        /// Storing a state if the condition holds.
        case write(DurableState, if: WriteCondition)
        /// Deleting the state if the condition holds.
        case delete(if: WriteCondition)
    }

    /// What a caller was told.
    public enum Answer: Sendable, Hashable {
        /// A read returned this state, or nil.
        case found(DurableState?)
        /// The write or delete happened.
        case done
        /// The condition did not hold: this version was stored.
        case conflict(stored: UInt64)
        /// Nothing happened, nor was anything seen.
        case notApplied
        /// It may have happened, or may still.
        case unknown
    }

    /// One request and its answer.
    public struct Operation: Sendable, Hashable {
        /// What was asked for.
        public var request: Request
        /// What the caller was told.
        public var answer: Answer
        /// When it began, on a clock that all callers share.
        public var began: UInt64
        /// When the answer was there, on the same clock.
        public var ended: UInt64

        /// Makes an operation; it must not end before it begins.
        public init(_ request: Request, _ answer: Answer, began: UInt64, ended: UInt64) {
            precondition(began <= ended, "an operation ends after it begins")
            self.request = request
            self.answer = answer
            self.began = began
            self.ended = ended
        }
    }

    /// The operations, in any order.
    public var operations: [Operation]

    /// A history of these operations.
    public init(_ operations: [Operation] = []) { self.operations = operations }
}
