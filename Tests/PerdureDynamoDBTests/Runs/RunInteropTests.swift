import Processes
import Testing

@testable import PerdureDynamoDB

@Suite("Runs and other languages", .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"))
struct RunInteropTests {
    @Test(
        "Python's boto3 reads a run by the five access patterns",
        .enabled(if: Interop.pythonOnRuns != nil, "needs Python with boto3"))
    func python() async throws {
        try await RunTestTable.with { table in
            let store = try table.store()
            try await RunItemTests.writeRun(store)
            await store.disconnect()
            let configuration = store.configuration
            let command =
                "\(Interop.pythonOnRuns ?? "") \(configuration.endpoint ?? "") \(configuration.region ?? "") \(table.name)"
            let read = try await Shell.run("\(command) 2>&1")
            #expect(read.status == 0, "\(read.output)")
        }
    }
}
