extension PerdureEvent {
    /// The details of an event of workflows.
    var workflowFields: [(key: String, value: String)] {
        switch self {
        case .runTakenUp(let workflow, let id), .runLost(let workflow, let id):
            [("workflow", workflow), ("run.id", id)]
        case .runAdopted(let workflow, let id, let adoptions):
            [("workflow", workflow), ("run.id", id), ("adoptions", "\(adoptions)")]
        case .runEnded(let workflow, let id, let status, let took):
            [("workflow", workflow), ("run.id", id), ("status", status), ("took", "\(took)")]
        case .runParked(let workflow, let id, let reason):
            [("workflow", workflow), ("run.id", id), ("reason", reason)]
        case .runWriteFailed(let workflow, let id, let failures, let error):
            [
                ("workflow", workflow), ("run.id", id), ("failures", "\(failures)"),
                ("error", String(reflecting: error)),
            ]
        case .stepEnded(let id, let step, let status, let attempt):
            [("run.id", id), ("step", step), ("status", status), ("attempt", "\(attempt)")]
        case .stepRetrying(let id, let step, let attempt, let time, let reason):
            [("run.id", id), ("step", step), ("attempt", "\(attempt)"), ("at", "\(time)"), ("reason", reason)]
        case .stepLogged(let id, let step, let attempt, let message):
            [("run.id", id), ("step", step), ("attempt", "\(attempt)"), ("message", message)]
        case .workerRegistered(let worker, let name), .workerBuried(let worker, let name):
            [("worker", worker), ("name", name)]
        case .leaseLost(let worker, let runs): [("worker", worker), ("runs", "\(runs)")]
        case .runsPurged(let count): [("count", "\(count)")]
        case .engineTroubled(let task, let error): [("task", task), ("error", String(reflecting: error))]
        default: []
        }
    }
}
