import PerdureConcurrency
import PerdureTestKit

/// Takes an ID for another one; the states that it returns have the ID that was asked for.
struct MapsIDs: BrokenStore {
    let base = memory()
    let map: @Sendable (String) -> String

    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        var state = state
        state.persistenceID = self.map(state.persistenceID)
        try await self.base.write(state, if: condition)
    }
    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        var state = try await self.base.latestState(of: self.map(id))
        state?.persistenceID = id
        return state
    }
    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try await self.base.delete(self.map(id), if: condition)
    }

    static func lowercasing() -> MapsIDs { MapsIDs { $0.lowercased() } }

    static func trimming() -> MapsIDs {
        MapsIDs { id in
            var id = id
            while id.last == " " && id.count > 1 { id.removeLast() }
            return id
        }
    }

    /// Compares IDs as Swift compares strings.
    static func normalizing() -> MapsIDs {
        let known = LockedState<[String: String]>([:])
        return MapsIDs { id in
            known.withLock { known in
                if let first = known[id] { return first }
                known[id] = id
                return id
            }
        }
    }

    static func truncating() -> MapsIDs {
        MapsIDs { id in id.utf8.count == 255 ? String(decoding: Array(id.utf8.prefix(254)), as: UTF8.self) : id }
    }

    /// Ends an ID at NUL, and takes it.
    static func endingAtNUL() -> MapsIDs {
        MapsIDs { id in id.utf8.contains(0) ? "before-\(id.utf8.count)" : id }
    }

    /// Lets the ID break a text protocol.
    static func unescaped() -> MapsIDs { MapsIDs { String($0.prefix { $0 != "'" }) } }
}

/// Takes only the IDs that eGo takes.
struct RefusesUnusualIDs: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        guard state.persistenceID.utf8.allSatisfy({ $0 != UInt8(ascii: "#") }) else {
            throw StoreError(.invalidRequest, operation: .write, message: "letters and digits, please; 255, no NUL")
        }
        try await self.base.write(state, if: condition)
    }
}
