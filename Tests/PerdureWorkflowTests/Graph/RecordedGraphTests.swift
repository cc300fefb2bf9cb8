import PerdureModel
import Testing

@testable import PerdureWorkflow

@Suite("The shape of a run, from its records")
struct RecordedGraphTests {
    /// A run of steps, each with its place, begin and end; nil for one that goes on.
    private func run(_ steps: [(String, Int, Int64?, Int64?)]) -> RunDescription {
        let request = RunRequest(
            id: "r", workflow: "flow", version: "1", input: RunValue(bytes: [0x31]), createdAt: 0)
        let records = steps.map { id, position, start, end in
            let item = StepRecord.parts(ofID: id).item
            var step = StepRecord(
                id: id, position: position, item: item, definitionHash: 0, status: end == nil ? .running : .completed)
            step.startedAt = start
            step.completedAt = end
            return step
        }
        let record = RunRecord(request: request, progress: RunProgress(definitionHash: 0, at: 0))
        return RunDescription(RunSnapshot(run: record, steps: records, state: [], messages: []))
    }

    private func text(_ steps: (String, Int, Int64?, Int64?)...) -> String {
        let run = self.run(steps)
        return run.recordedGraph.text(statuses: run.stepStatuses)
    }

    @Test("steps one after the other, also within one millisecond") func sequence() {
        #expect(
            self.text(("a", 0, 5, 5), ("b", 1, 5, 5), ("c", 2, 5, nil)) == """
                flow, version 1
                ├─ ✓ a
                ├─ ✓ b
                └─ ▶ c

                """)
        #expect(self.text() == "flow, version 1\n")
    }

    @Test("what overlaps lies side by side, and a branch is a row") func branches() {
        #expect(
            self.text(("a", 0, 0, 1), ("b1", 1, 1, 2), ("b2", 2, 2, 6), ("c", 3, 1, 4), ("d", 4, 6, 7)) == """
                flow, version 1
                ├─ ✓ a
                ├─ side by side
                │  ├─ in a row
                │  │  ├─ ✓ b1
                │  │  └─ ✓ b2
                │  └─ ✓ c
                └─ ✓ d

                """)
    }

    @Test("the elements of a loop are one part, also before the loop itself is recorded") func loops() {
        #expect(
            self.text(("a", 0, 0, 1), ("l[0]", 1, 1, 2), ("l[1]", 1, 1, nil)) == """
                flow, version 1
                ├─ ✓ a
                └─ ▶ l: for each element; 1 of 2 begun elements ended

                """)
    }

    @Test("a step that waits for its turn comes last") func edited() {
        #expect(
            self.text(("a", 0, 0, nil), ("b", 1, nil, nil)).hasPrefix("flow, version 1\n├─ ▶ a\n└─ "))
    }

    @Test("the flowchart has the same lines") func mermaid() {
        let run = self.run([("a", 0, 0, 1), ("b", 1, 1, 3), ("c", 2, 1, 2), ("d", 3, 3, 4)])
        let picture = run.recordedGraph.mermaid(statuses: run.stepStatuses)
        for line in ["s0 --> s1", "s0 --> s2", "s1 --> s4", "s2 --> s4", "s4 --> output"] {
            #expect(picture.contains(line), "\(picture)")
        }
    }
}
