import Processes
import Testing

@Suite struct OrdersTests {
    @Test func printsWhatItsReadMeSays() async throws {
        try await withStoreFile { file in
            let printed = try ReadMe.lines(of: "Orders")
            let first = try await ChildProcess.run("Orders", [file])
            #expect(first.status == 0)
            #expect(first.lines == printed)
            // The same runs: nothing fails any more, and nobody is charged again.
            let second = try await ChildProcess.run("Orders", [file])
            #expect(second.status == 0)
            #expect(second.lines == printed.filter { !$0.contains("failed at") })
            // And the tool sees what its author saw.
            let shown = try await ChildProcess.run("perdure", ["run", "show", "order-3", "--store", "sqlite:\(file)"])
            #expect(shown.lines.contains { $0.hasPrefix("charge") && $0.contains("COMPLETED  4") })
        }
    }
}
