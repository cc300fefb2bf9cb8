import PerdureState
import Testing

@testable import Flights

@Suite struct FlightRunTests {
    /// A file of so many rows over a few aircraft, some without a tail number, with a bad row at the end.
    private func makeFile(rows: Int) throws -> TemporaryFile {
        let lines = (0..<rows).map { row in
            let tail = row % 11 == 0 ? "NA" : "N\(row % 7)"
            let airTime = row % 5 == 0 ? "NA" : "60"
            return "2013,1,1,517,515,2,830,819,11,\(tail),EWR,IAH,\(airTime),100\n"
        }
        return try TemporaryFile(Sample.header + "\n" + lines.joined() + "not a row\n")
    }

    private func fly(_ file: TemporaryFile, into store: any StateStore) async throws -> FlightReport {
        let engine = StateEngine(store: store) {
            Aircraft()
            Tower()
        }
        let survey = try FileSurvey(path: file.path)
        let fleet = Fleet(fingerprint: survey.fingerprint)
        let tally = Tally(expecting: survey.rowCount)
        let run = FlightRun(
            path: file.path, engine: engine, fleet: fleet, tally: tally, care: nil, laneCount: 512,
            waitsToBeKilled: false,
            say: { _ in })
        let numbers = try await run.fly()
        return try await FlightReport(of: fleet, numbers, in: engine, tally)
    }

    private func check(_ report: FlightReport) {
        #expect(report.rows == 1_001)
        #expect(report.badRows == 1)
        #expect(report.aircraft == 7)
        #expect(report.withoutTailNumber == 91)
        #expect(report.flights == 800)
        #expect(report.diverted == 200)
        #expect(report.cancelled == 0)
        #expect(report.airTimeMinutes == 48_000)
        #expect(report.distanceMiles == 80_000)
    }

    @Test func everyRowIsCountedOnceHoweverOftenTheFileIsFlown() async throws {
        let file = try self.makeFile(rows: 1_000)
        let store = InMemoryStateStore()
        let first = try await self.fly(file, into: store)
        self.check(first)
        #expect(first.countedBefore == 0)
        let second = try await self.fly(file, into: store)
        self.check(second)
        #expect(second.countedBefore == 1_000)
        #expect(second.logbooks == first.logbooks)
    }

    @Test func aStoreThatFailsEndsTheRun() async throws {
        let store = InMemoryStateStore(maximumPayloadByteCount: 10)
        await #expect(throws: CommandError<Never>.self) {
            try await self.fly(try self.makeFile(rows: 1_000), into: store)
        }
    }

    @Test func aFileThatCannotBeReadEndsTheRun() async throws {
        let engine = StateEngine(store: InMemoryStateStore()) { Aircraft() }
        let run = FlightRun(
            path: "/nowhere/at/all.csv", engine: engine, fleet: Fleet(fingerprint: 1), tally: Tally(expecting: 1),
            care: nil, laneCount: 512, waitsToBeKilled: false, say: { _ in })
        await #expect(throws: FileError.self) { try await run.fly() }
    }

    @Test func twoFilesInOneStoreDoNotMix() async throws {
        let store = InMemoryStateStore()
        _ = try await self.fly(try self.makeFile(rows: 999), into: store)
        self.check(try await self.fly(try self.makeFile(rows: 1_000), into: store))
    }
}
