/// What an aircraft knows about itself: the state of its entity.
struct Logbook: Codable, Sendable, Equatable {
    /// The last line of the file that is counted here.
    ///
    /// Rows come in the order of the file, so a row at or before this line is counted already. This makes it safe to send
    /// rows again, after a crash or after an error that left the outcome open.
    var lastLine = 0

    var flights = 0
    var cancelled = 0
    var diverted = 0
    /// In miles, of the flights that arrived.
    var distance = 0
    /// In minutes, of the flights that arrived.
    var airTime = 0
    /// Minutes that flights arrived late, less those that they arrived early.
    var delay = 0
    /// Where the latest departure led; nil before the first one.
    var position: Position?

    struct Position: Codable, Sendable, Equatable {
        /// The destination of the latest departure.
        var airport: String
        /// Whether the aircraft came there, or was diverted on the way.
        var isReached: Bool
        /// When it departed. The file need not be in the order of time.
        var departure: Flight.Minute
    }

    /// The same logbook with one more row, which must come after the last one.
    func adding(_ flight: Flight) -> Logbook {
        var new = self
        new.lastLine = flight.line
        switch flight.outcome {
        case .cancelled:
            new.cancelled += 1
        case .diverted(let departure):
            new.diverted += 1
            new.move(towards: flight.destination, departing: departure, isReached: false)
        case .arrived(let departure, let delay, let airTime):
            new.flights += 1
            new.distance += flight.distance
            new.airTime += airTime
            new.delay += delay
            new.move(towards: flight.destination, departing: departure, isReached: true)
        }
        return new
    }

    private mutating func move(towards airport: String, departing departure: Flight.Minute, isReached: Bool) {
        if let position = self.position, position.departure > departure { return }
        self.position = Position(airport: airport, isReached: isReached, departure: departure)
    }
}
