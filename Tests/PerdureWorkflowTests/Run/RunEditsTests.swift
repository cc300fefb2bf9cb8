import PerdureModel
import Testing

@testable import PerdureWorkflow

/// What people do to runs that nobody drives.
@Suite struct RunEditsTests {
    @Test("a run is taken up for what came while it was paused, and otherwise when it was to be")
    func mailWhilePaused() {
        var progress = RunProgress(status: .paused, definitionHash: 0, at: 0)
        progress.wake = .at(86_400_000)
        let request = RunRequest(id: "r", workflow: "w", version: "1", input: RunValue(1), createdAt: 0)
        var message = RunMessage(id: "m", kind: .signal("go"), payload: RunValue(1), postedAt: 0)
        message.number = 1
        func wake(_ messages: [RunMessage]) -> RunWake {
            let run = RunRecord(request: request, progress: progress, inboxCount: UInt64(messages.count))
            return RunEdits.resume(RunSnapshot(run: run, steps: [], state: [], messages: messages), 1).progress.wake
        }
        #expect(wake([]) == .at(86_400_000))
        #expect(wake([message]) == .now)
        message.consumedBy = "a step"
        #expect(wake([message]) == .at(86_400_000))
    }
}
