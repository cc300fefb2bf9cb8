import PerdureState
import Testing

@testable import Flights

@Suite struct AircraftTests {
    private let aircraft = Aircraft()

    private func flight(_ line: Int, to airport: String = "IAH", _ outcome: Flight.Outcome) -> Flight {
        Flight(line: line, tailNumber: "N1", origin: "EWR", destination: airport, distance: 100, outcome: outcome)
    }

    /// The logbook after these rows, sent one after the other.
    private func logbook(_ flights: Flight...) -> Logbook {
        flights.reduce(self.aircraft.initialState) { logbook, flight in
            guard case .persist(let next) = self.aircraft.handle(.log(flight), in: logbook).change else {
                return logbook
            }
            return next
        }
    }

    @Test func eachOutcomeIsCountedInItsOwnWay() throws {
        let logbook = self.logbook(
            self.flight(2, .arrived(departure: 10, delay: -4, airTime: 60)),
            self.flight(3, .cancelled),
            self.flight(5, to: "XNA", .diverted(departure: 20)),
            self.flight(9, to: "BOS", .arrived(departure: 30, delay: 14, airTime: 41)))
        #expect(logbook.lastLine == 9)
        #expect(logbook.flights == 2)
        #expect(logbook.cancelled == 1)
        #expect(logbook.diverted == 1)
        #expect(logbook.distance == 200)
        #expect(logbook.airTime == 101)
        #expect(logbook.delay == 10)
        #expect(logbook.position == .init(airport: "BOS", isReached: true, departure: 30))
    }

    @Test func aRowThatIsCountedChangesNothing() throws {
        let flight = self.flight(7, .arrived(departure: 10, delay: 0, airTime: 60))
        let logbook = self.logbook(flight)
        for again in [flight, self.flight(6, .cancelled)] {
            let effect = self.aircraft.handle(.log(again), in: logbook)
            guard case .none = effect.change else {
                Issue.record("line \(again.line) was counted twice")
                return
            }
            #expect(effect.reply == .countedBefore)
        }
        #expect(self.aircraft.handle(.log(self.flight(8, .cancelled)), in: logbook).reply == .counted)
    }

    @Test func anAircraftStandsWhereItsLatestDepartureLed() throws {
        // The file is not in the order of time, and a cancelled flight moves nothing.
        let logbook = self.logbook(
            self.flight(2, to: "BOS", .diverted(departure: 50)),
            self.flight(3, to: "IAH", .arrived(departure: 20, delay: 0, airTime: 60)),
            self.flight(4, to: "MIA", .cancelled))
        #expect(logbook.position == .init(airport: "BOS", isReached: false, departure: 50))
    }
}
