import EngineCases
import PerdureTestKit
import PerdureWorkflow
import Testing

/// What an engine does on any store, in memory.
@Suite(.timeLimit(.minutes(5))) struct EngineCaseTests {
    @Test("with values as the program has them", arguments: EngineCase.all)
    func live(_ engineCase: EngineCase) async throws {
        let memory = InMemoryRunStore()
        try await engineCase.verify { memory }
    }

    @Test("with values as bytes", arguments: EngineCase.all)
    func stored(_ engineCase: EngineCase) async throws {
        let memory = EncodingRunStore(InMemoryRunStore())
        try await engineCase.verify { memory }
    }
}
