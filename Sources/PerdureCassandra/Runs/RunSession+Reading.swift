internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

extension RunSession {
    func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot? {
        try await self.settledRows(self.statements.all, of: runID)?.snapshot
    }

    func run(_ runID: String) async throws(StoreError) -> RunRecord? {
        try await self.settledRows(self.statements.record, of: runID)?.snapshot.run
    }

    private func settledRows(
        _ statement: CQLStatement, of runID: String
    ) async throws(StoreError) -> (head: RunHead, snapshot: RunSnapshot)? {
        let call = self.call(.read, runID)
        // What others add meanwhile is theirs to bring on before they have an answer.
        for _ in 0..<16 {
            guard let found = try await self.rows(statement, of: runID, call) else { return nil }
            if found.head.outbox == nil { return found }
            _ = try await self.settle(found.head, call)
        }
        throw call.restless
    }
}
