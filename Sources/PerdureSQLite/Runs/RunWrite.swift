internal import PerdureWorkflow

/// A change of runs or workers that waits for its turn.
///
/// A class, so that a line of writes stays small.
final class RunWrite: Sendable {
    let request: Request
    /// What it adds to a batch, in bytes.
    let weight: Int

    enum Request: Sendable {
        case create(RunCreation)
        case commit(RunCommit)
        case post(RunMessage, runID: String)
        case delete(String, revision: UInt64, fence: UInt64)
        case claim(RunClaim)
        case adopt(RunClaim)
        case register(WorkerRecord)
        case renew(String, Int64)
        case bury(String, beat: UInt64)
        case retire(String, Int64)
        case purge(Int64, limit: Int)
    }

    init(_ request: Request, weight: Int = 0) {
        self.request = request
        self.weight = weight
    }

    /// The run or the worker that it is about.
    var subject: String {
        switch self.request {
        case .create(let creation): creation.request.id
        case .commit(let commit): commit.runID
        case .post(_, let runID): runID
        case .delete(let runID, _, _): runID
        case .claim(let claim), .adopt(let claim): claim.worker
        case .register(let worker): worker.id
        case .renew(let id, _), .bury(let id, _), .retire(let id, _): id
        case .purge: ""
        }
    }

    var operation: StoreError.Operation {
        switch self.request {
        case .delete, .purge: .delete
        default: .write
        }
    }
}

/// What a change of runs or workers gave, beyond that it was done.
final class RunAnswer: Sendable {
    let result: Result

    enum Result: Sendable {
        case exists(RunRecord)
        case posted(PostVerdict)
        case claimed(ClaimedRuns)
        case adopted([RunSnapshot])
        case truth(Bool)
    }

    init(_ result: Result) { self.result = result }
}
