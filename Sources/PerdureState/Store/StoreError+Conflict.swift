extension StoreError {
    /// The conflict of a write or delete whose condition does not hold, in the words that all stores use.
    ///
    /// `stored` is the version that is there: the tombstone's where the state was deleted, 0 where none ever was.
    package static func conflict(
        _ operation: Operation, of id: String, condition: WriteCondition, stored: UInt64
    ) -> StoreError {
        let expectation =
            switch condition {
            case .always: "nothing in particular"
            case .absent: "no state, nor a tombstone of this version or a later one"
            case .version(let version): "version \(version)"
            }
        return StoreError(
            .conflict, operation: operation, persistenceID: id,
            message: "expected \(expectation), found version \(stored); read the state again and decide anew",
            storedVersion: stored)
    }
}
