import PerdureSQLite
import PerdureState
import Testing

@testable import Flights

@Suite struct ArgumentsTests {
    @Test func whatIsAskedFor() throws {
        let arguments = try Arguments([
            "--flights", "a.csv", "--store", "sqlite:b", "--result", "c", "--until-killed", "--no-table",
        ])
        #expect(arguments.flights == "a.csv")
        #expect(arguments.store == "sqlite:b")
        #expect(arguments.result == "c")
        #expect(arguments.waitsToBeKilled)
        #expect(!arguments.showsTable)
    }

    @Test(arguments: [
        [], ["--flights"], ["--flights", "a"], ["--store", "memory:"], ["--flight", "a"],
        ["--flights", "a", "--store", "memory:", "--until-killed"],
    ])
    func whatCannotWork(arguments: [String]) {
        #expect(throws: UsageError.self) { try Arguments(arguments) }
    }

    @Test func storesByURL() async throws {
        #expect(try await openStore("memory:").states is InMemoryStateStore)
        #expect(try await openStore("sqlite:x.sqlite").states is SQLiteStore)
    }

    @Test(arguments: ["", "x.sqlite", "sqlite:", "memory:x", "mysql://localhost"])
    func noStore(url: String) async {
        await #expect(throws: UsageError.self) { try await openStore(url) }
    }
}
