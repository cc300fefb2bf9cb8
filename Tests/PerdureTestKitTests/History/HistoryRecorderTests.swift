import PerdureTestKit
import Testing

@Suite struct HistoryRecorderTests {
    @Test func recordsWhatWasAskedAndTold() async {
        let plan = FaultPlan().with(.loseAnswer, at: .write(number: 3)).with(.refuse(.throttled), at: .write(number: 4))
        let recorder = HistoryRecorder(FaultyStateStore(InMemoryStateStore(), plan: plan), of: "a")
        let payload = StatePayload(manifest: "m", bytes: [])
        let states = (0...4).map { DurableState(persistenceID: "a", version: UInt64($0), payload: payload) }
        #expect(await recorder.write(states[1], if: .absent) == .done)
        #expect(await recorder.write(states[3], if: .version(2)) == .conflict(stored: 1))
        #expect(await recorder.write(states[2], if: .version(1)) == .unknown)
        #expect(await recorder.write(states[3], if: .version(2)) == .notApplied)
        #expect(await recorder.read() == states[2])
        #expect(await recorder.delete(if: .version(2)) == .done)
        let operations = recorder.history.operations
        #expect(
            operations.map(\.answer) == [.done, .conflict(stored: 1), .unknown, .notApplied, .found(states[2]), .done])
        #expect(operations.map(\.began) == [1, 3, 5, 7, 9, 11])
        #expect(operations.map(\.ended) == [2, 4, 6, 8, 10, 12])
        #expect(LinearizabilityChecker().verdict(on: recorder.history) == .linearizable)
    }
}
