import PerdureWorkflow
import Synchronization

/// Looks after the passengers of every incident: a workflow run for each, under a name made of the file and the line.
///
/// Starting and telling are idempotent by their IDs, so a run of the program after a crash simply does again what an earlier one did.
final class CareService: Sendable {
    private let engine: WorkflowEngine
    private let workflow: Workflow<Incident, Settlement>
    private let fleet: Fleet
    private let incidents = Mutex<[Incident]>([])

    /// How long a run waits for the airline's confirmation.
    static let patience: Duration = .seconds(2)

    /// Makes the service; it looks after nobody until ``run()`` is called.
    init(on store: any RunStore, fleet: Fleet, desk: CareDesk) throws {
        self.workflow = careWorkflow(desk: desk, patience: Self.patience)
        self.fleet = fleet
        var configuration = WorkflowEngine.Configuration()
        // The next process of this name has the runs of this one at once.
        configuration.name = "flights-care"
        // Whoever waits for the airline waits on disk.
        configuration.releaseAfter = .milliseconds(500)
        let workflow = self.workflow
        self.engine = try WorkflowEngine(store: store, configuration: configuration) { workflow }
    }

    /// Drives runs until the task is cancelled.
    func run() async throws { try await self.engine.run() }

    /// Starts to look after the passengers of a flight, if it gives cause to.
    func begin(_ flight: Flight) async throws {
        guard let incident = Incident(flight) else { return }
        let id = self.fleet.careID(ofLine: incident.line)
        var options = StartOptions(resourceID: incident.origin)
        options.tags = ["destination": incident.destination]
        try await self.engine.start(self.workflow, incident, id: id, options: options)
        if Self.airlineAnswers(incident) {
            try await self.engine.signal(id, "airline", Confirmation(bonus: 25), id: "answer")
        }
        self.incidents.withLock { $0.append(incident) }
    }

    /// Waits until everybody is looked after, and sums up.
    func finish() async throws -> CareReport {
        var report = CareReport()
        for incident in self.incidents.withLock({ $0 }) {
            let settlement = try await self.engine.run(self.workflow, self.fleet.careID(ofLine: incident.line)).value
            report.add(settlement, of: incident)
        }
        return report
    }

    /// Whether the airline says anything to an offer. One in four it never answers.
    static func airlineAnswers(_ incident: Incident) -> Bool { incident.line % 4 != 0 }
}

/// What the looking after came to.
struct CareReport: Codable, Sendable, Equatable {
    var incidents = 0
    var late = 0
    var cancelled = 0
    var confirmed = 0
    var paid = 0

    mutating func add(_ settlement: Settlement, of incident: Incident) {
        self.incidents += 1
        switch incident.cause {
        case .late: self.late += 1
        case .cancelled: self.cancelled += 1
        }
        if settlement.isConfirmed { self.confirmed += 1 }
        self.paid += settlement.paid
    }
}
