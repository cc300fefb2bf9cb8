/// Something that goes wrong with an operation on its way to a store or back.
public enum Fault: Sendable, Hashable {
    /// Refused before anything is sent: fails with this code, and was not applied.
    case refuse(StoreError.Code)
    /// Done, but the answer does not arrive: fails with `timeout`, outcome unknown. A read fails likewise.
    case loseAnswer
    /// Does not arrive: fails with `timeout`, outcome unknown, and was not applied. A read fails likewise.
    case loseRequest
    /// Arrives late: fails with `timeout`, outcome unknown, and happens afterwards if its condition holds then.
    ///
    /// It arrives just before the given number of further operations on the same ID, at least 1, or with
    /// ``FaultyStateStore/landLateWrites()``. A read is only lost.
    case applyLate(afterOperations: Int)
    /// Another writer changes the ID first, to what ``FaultPlan/foreignState`` says; then the operation goes on.
    case foreignWrite
    /// Waits for so long by the store's clock before anything is sent, then goes on.
    case delay(Duration)
    /// Waits until ``FaultyStateStore/releaseHeld()`` before anything is sent, then goes on.
    case hold
    /// The connection is lost: this operation and the next ones, so many altogether, fail with `unavailable`, not applied.
    case disconnect(operations: Int)
}
