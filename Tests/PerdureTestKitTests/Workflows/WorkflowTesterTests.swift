import PerdureTestKit
import PerdureWorkflow
import Testing

/// The kit by which users test their workflows.
@Suite(.timeLimit(.minutes(5))) struct WorkflowTesterTests {
    static let reminder = Workflow("reminder") {
        Step("note") { (name: String) in "note \(name)" }
        Sleep("a month", for: .seconds(30 * 86_400))
        Step("remind") { (note: String) -> String in throw NotStubbed() }
        WaitForSignal("answer", String.self, timeout: .seconds(86_400)) { (text: String, answer: String?) in
            "\(text): \(answer ?? "none")"
        }
    }
    struct NotStubbed: Error {}

    static var stubs: WorkflowStubs {
        var stubs = WorkflowStubs()
        stubs.replace("remind") { (note: String) in "reminded of \(note)" }
        return stubs
    }

    @Test("a month passes in no time") func month() async throws {
        try await WorkflowTester.test(stubs: Self.stubs) {
            Self.reminder
        } body: { tester in
            try await tester.start(Self.reminder, "ada", id: "ada")
            let value = try await tester.value(of: Self.reminder, "ada")
            #expect(value == "reminded of note ada: none")
            #expect(tester.clock.now >= .seconds(31 * 86_400))
            #expect(tester.clock.now < .seconds(32 * 86_400))
        }
    }

    @Test("the clock stands still until it is needed") func standing() async throws {
        try await WorkflowTester.test(stubs: Self.stubs) {
            Self.reminder
        } body: { tester in
            try await tester.start(Self.reminder, "ada", id: "ada")
            try await tester.settle()
            #expect(tester.clock.now == .zero)
            try await tester.signal("ada", "answer", "yes")
            let value = try await tester.value(of: Self.reminder, "ada")
            #expect(value == "reminded of note ada: yes")
        }
    }

    @Test("crashed after each write, it ends the same", arguments: 1...12) func crashes(_ write: Int) async throws {
        try await WorkflowTester.test(stubs: Self.stubs) {
            Self.reminder
        } body: { tester in
            tester.crash(afterWrites: write)
            tester.crash(afterWrites: 1)
            try await tester.start(Self.reminder, "ada", id: "ada")
            try await tester.signal("ada", "answer", "yes")
            let value = try await tester.value(of: Self.reminder, "ada")
            #expect(value == "reminded of note ada: yes")
        }
    }

    @Test("what waits for ever is told, instead of waiting with it") func forever() async throws {
        let workflow = Workflow("forever") {
            WaitForSignal("never", Int.self) { (number: Int, signal: Int) in number + signal }
        }
        try await WorkflowTester.test {
            workflow
        } body: { tester in
            let id = try await tester.start(workflow, 1)
            await #expect(throws: WorkflowError.self) { try await tester.value(of: workflow, id) }
        }
    }
}
