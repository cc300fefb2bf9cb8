extension StoreError {
    /// Of an operation on a store that was disconnected.
    package static func disconnected(
        _ operation: Operation, _ id: String? = nil, fileID: StaticString = #fileID, line: UInt = #line
    ) -> StoreError {
        StoreError(
            .closed, operation: operation, persistenceID: id,
            message: "the store was disconnected; call connect() to use it again", fileID: fileID, line: line)
    }

    /// Throws ``Code/cancelled`` where the caller's task was cancelled before its operation begins.
    package static func checkNotCancelled(
        _ operation: Operation, _ id: String? = nil, fileID: StaticString = #fileID, line: UInt = #line
    ) throws(StoreError) {
        guard Task.isCancelled else { return }
        throw StoreError(
            .cancelled, operation: operation, persistenceID: id,
            message: "the caller's task was cancelled before anything was sent", fileID: fileID, line: line)
    }
}
