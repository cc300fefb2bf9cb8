import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import PerdureWorkflow

/// A way to a store on which some changes arrive late: when whoever made them was told that nobody knows what became of them, and has
/// gone on since.
final class LateCommits: RunStoreWrapper {
    private struct State {
        var generator: PerdureTestKit.SeededGenerator
        /// What is under way, and just before which of the further commits it arrives.
        var underWay: [(commit: RunCommit, before: Int)] = []
        var lateCount = 0
    }

    let base: any RunStore
    private let rate: Double
    private let state: LockedState<State>

    init(_ base: any RunStore, seed: UInt64, number: Int, rate: Double) {
        self.base = base
        self.rate = rate
        self.state = LockedState(State(generator: .init(seed: ~seed, stream: UInt64(number))))
    }

    /// How many were late.
    var lateCount: Int { self.state.withLock { $0.lateCount } }

    func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        let (isLate, due) = self.state.withLock { state -> (Bool, [RunCommit]) in
            for place in state.underWay.indices { state.underWay[place].before -= 1 }
            let due = state.underWay.filter { $0.before <= 0 }.map(\.commit)
            state.underWay.removeAll { $0.before <= 0 }
            guard state.generator.chance(self.rate) else { return (false, due) }
            state.underWay.append((commit, Int.random(in: 1...4, using: &state.generator)))
            state.lateCount += 1
            return (true, due)
        }
        await self.land(due)
        if isLate {
            throw StoreError(
                .timeout, outcome: .unknown, operation: .write, persistenceID: commit.runID, message: "it is under way")
        }
        return try await self.base.commit(commit)
    }

    /// Everything that is still under way arrives now.
    func land() async {
        let all = self.state.withLock { state in
            defer { state.underWay = [] }
            return state.underWay.map(\.commit)
        }
        await self.land(all)
    }

    /// Nobody waits for what comes of these.
    private func land(_ commits: [RunCommit]) async {
        for commit in commits { _ = try? await self.base.commit(commit) }
    }
}
