/// The checks that every store makes before it sends anything, so that all of them refuse the same things in the same words.
extension StateStore {
    /// Checks an ID against the rule of ``PersistenceID``.
    package func checkID(_ id: String, for operation: StoreError.Operation) throws(StoreError) {
        if let violation = PersistenceID.violation(in: id) {
            throw StoreError(.invalidRequest, operation: operation, persistenceID: id, message: violation)
        }
    }

    /// Checks everything about a write that can be told without the store's data.
    ///
    /// `maximumInteger` is the largest version and shard that the store can hold.
    package func checkWrite(
        _ state: DurableState, if condition: WriteCondition, maximumInteger: UInt64 = UInt64(Int64.max)
    ) throws(StoreError) {
        try self.checkID(state.persistenceID, for: .write)
        try self.checkContents(of: state, if: condition, maximumInteger: maximumInteger)
    }

    /// What ``checkWrite(_:if:maximumInteger:)`` checks apart from the ID.
    package func checkContents(
        of state: DurableState, if condition: WriteCondition, maximumInteger: UInt64
    ) throws(StoreError) {
        let id = state.persistenceID
        func refuse(_ message: String, as code: StoreError.Code = .invalidRequest) -> StoreError {
            StoreError(code, operation: .write, persistenceID: id, message: message)
        }
        guard state.version >= 1 else { throw refuse("versions count from 1; this state has version 0") }
        if case .version(let replaced) = condition, state.version <= replaced {
            throw refuse("version \(state.version) cannot replace version \(replaced): versions only go up")
        }
        guard state.version <= maximumInteger, state.shard <= maximumInteger else {
            throw refuse(
                "this store holds versions and shards up to \(maximumInteger);"
                    + " this state has version \(state.version) and shard \(state.shard)")
        }
        let manifest = state.payload.manifest.utf8.count
        guard manifest <= StatePayload.maximumManifestByteCount else {
            throw refuse(
                "a manifest has at most \(StatePayload.maximumManifestByteCount) bytes of UTF-8, this one has \(manifest)"
            )
        }
        guard !PersistenceID.containsNUL(state.payload.manifest) else {
            throw refuse("a manifest must not contain NUL (U+0000)")
        }
        guard state.payload.bytes.count <= self.maximumPayloadByteCount else {
            throw refuse(
                "the payload has \(state.payload.bytes.count) bytes, this store takes at most"
                    + " \(self.maximumPayloadByteCount); make the state smaller or split it over several IDs",
                as: .payloadTooLarge)
        }
    }
}
