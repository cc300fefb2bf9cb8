import PerdureState

/// What a file came to, read back from the store.
struct FlightReport: Codable, Sendable, Equatable {
    var rows: Int
    var aircraft: Int
    var flights = 0
    var cancelled = 0
    var diverted = 0
    var withoutTailNumber: Int
    var badRows: Int
    var airTimeMinutes = 0
    var distanceMiles = 0
    /// Rows that were in a logbook before this run.
    var countedBefore: Int
    /// How long this run flew.
    var milliseconds: Int
    /// What the looking after passengers came to; nil where nobody did.
    var care: CareReport?
    /// By tail number.
    var logbooks: [String: Logbook]

    /// Reads all logbooks of a fleet.
    init(of fleet: Fleet, _ numbers: TailNumbers, in engine: StateEngine, _ tally: Tally) async throws {
        var logbooks: [String: Logbook] = [:]
        for number in numbers.named {
            logbooks[number] = try await engine.entity(Aircraft.self, fleet.aircraftID(number)).send(.look).state
        }
        var unnamed: [Logbook] = []
        for number in 0..<Fleet.unnamedCount {
            unnamed.append(try await engine.entity(Aircraft.self, fleet.unnamedID(number)).send(.look).state)
        }
        self.init(logbooks: logbooks, unnamed: unnamed, numbers, tally)
    }

    init(logbooks: [String: Logbook], unnamed: [Logbook], _ numbers: TailNumbers, _ tally: Tally) {
        self.rows = tally.done
        self.aircraft = numbers.named.count
        self.withoutTailNumber = numbers.rowsWithout
        self.badRows = tally.bad
        self.countedBefore = tally.countedBefore
        self.milliseconds = tally.milliseconds
        self.logbooks = logbooks
        for logbook in Array(logbooks.values) + unnamed {
            self.flights += logbook.flights
            self.cancelled += logbook.cancelled
            self.diverted += logbook.diverted
            self.airTimeMinutes += logbook.airTime
            self.distanceMiles += logbook.distance
        }
    }
}
