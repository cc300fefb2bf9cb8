import PerdureState

/// One run over a file: every row goes to its logbook.
///
/// It always begins with the first row. Logbooks know what they have counted, so a run after a crash sends again what an earlier one
/// sent, and counts what that one could not.
struct FlightRun: Sendable {
    let path: String
    let engine: StateEngine
    let fleet: Fleet
    let tally: Tally
    /// Looks after the passengers; nil where nobody does.
    let care: CareService?
    /// How many rows are sent at the same time.
    let laneCount: Int
    /// Whether to stop reading half way, and to keep writes under way until somebody kills the process.
    let waitsToBeKilled: Bool
    /// Is told what a person should read.
    let say: @Sendable (String) -> Void

    /// Sends all rows; returns the tail numbers, and how many rows had none.
    func fly() async throws -> TailNumbers {
        let tailNumbers = TailNumberBox()
        let halfway = HalfwayReport(at: (self.tally.expected + 1) / 2, isWanted: self.waitsToBeKilled)
        halfway.update(self.tally)
        try await Lanes(count: self.laneCount).run { entrance in
            let reader = try FlightReader(path: self.path)
            var numbers = TailNumbers()
            var last = 0
            // Some rows beyond the half are read too, so that the end comes in the midst of them.
            let limit = self.waitsToBeKilled ? (self.tally.expected + 1) / 2 + self.tally.expected / 10 : .max
            while last < limit, let row = try reader.next() {
                last += 1
                switch row {
                case .bad(let line, let fault):
                    // Whoever is killed leaves this to the next run, which begins with the first row again.
                    if !self.waitsToBeKilled { self.say("line \(line): \(fault); left out") }
                    self.tally.addBadRow()
                    halfway.update(self.tally)
                case .flight(let flight):
                    numbers.add(flight)
                    try await entrance.put(flight, for: self.fleet.logbookID(of: flight))
                }
            }
            if self.waitsToBeKilled { try await self.hold() }
            tailNumbers.value.withLock { $0 = numbers }
        } deliver: { parcel in
            self.tally.add(try await self.log(parcel.flight, in: parcel.id))
            if let care = self.care {
                try await self.persistently(parcel.flight) { try await care.begin(parcel.flight) }
            }
            halfway.update(self.tally)
        }
        return tailNumbers.value.withLock { $0 }
    }

    /// Sends a row until its logbook has it.
    ///
    /// Sending again is always safe, whatever became of the attempt before: the logbook knows the rows that it has.
    private func log(_ flight: Flight, in id: String) async throws -> Aircraft.Reply {
        let logbook = self.engine.entity(Aircraft.self, id)
        return try await self.persistently(flight) { try await logbook.send(.log(flight)).reply }
    }

    /// Does something for a row, and again where that may succeed a little later.
    private func persistently<Result>(_ flight: Flight, _ body: () async throws -> Result) async throws -> Result {
        var attempt = 1
        while true {
            do { return try await body() } catch {
                let isWorthRepeating =
                    switch error {
                    case let error as CommandError<Never>: error.isWorthRepeating
                    case let error as StoreError: error.isWorthRepeating
                    default: false
                    }
                guard attempt < 6, isWorthRepeating else { throw error }
                self.say("line \(flight.line): \(error); sending it again")
                try await Task.sleep(for: .milliseconds(50 << attempt))
                attempt += 1
            }
        }
    }

    /// Keeps writes under way until the process is killed, a minute at most.
    private func hold() async throws {
        let end = ContinuousClock.now + .seconds(60)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<64 {
                let tower = self.engine.entity(Tower.self, self.fleet.towerID(number))
                group.addTask {
                    while ContinuousClock.now < end { try await tower.send(.call) }
                }
            }
            while try await group.next() != nil {}
        }
        throw FileError("nobody has killed this process within a minute, as --until-killed asks for")
    }
}

extension CommandError {
    /// Whether the same command may succeed a little later.
    var isWorthRepeating: Bool {
        switch self {
        case .store(let error): error.isWorthRepeating
        case .contended, .overloaded, .deadlineExceeded: true
        case .rejected, .cancelled, .stopped: false
        }
    }
}

extension StoreError {
    /// Whether the same may succeed a little later.
    fileprivate var isWorthRepeating: Bool {
        self.outcome == .unknown || [.unavailable, .timeout, .throttled].contains(self.code)
    }
}
