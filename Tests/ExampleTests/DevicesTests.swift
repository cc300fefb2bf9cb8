import Processes
import Testing

@Suite struct DevicesTests {
    @Test func printsWhatItsReadMeSays() async throws {
        try await withStoreFile { file in
            let printed = try ReadMe.lines(of: "Devices")
            let first = try await ChildProcess.run("Devices", [file])
            #expect(first.status == 0)
            #expect(Self.told(first) == Self.told(printed))
            #expect(try #require(Self.inMemory(first.lines)) <= 256 + 64)
            let second = try await ChildProcess.run("Devices", [file])
            #expect(second.lines.first == "0 readings of 5000 devices stored, 22000 were known already")
            #expect(second.lines.contains("0 times a device was too hot; 0 changes missed"))
            #expect(second.lines.suffix(3) == printed.suffix(3))
        }
    }

    /// Entities at work never leave memory: how many are there beyond the limit depends on the moment.
    private static func told(_ lines: [String]) -> [String] { lines.filter { !$0.contains("in memory at once") } }
    private static func told(_ run: ChildProcess) -> [String] { self.told(run.lines) }

    private static func inMemory(_ lines: [String]) -> Int? {
        lines.first { $0.contains("in memory at once") }?.split(separator: " ").compactMap { Int($0) }.first
    }
}
