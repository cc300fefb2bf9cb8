/// Something that happened inside, for logs and metrics.
///
/// Log lines and metrics derive from this one list, so names cannot drift. No case carries a payload: what is stored cannot
/// leak through an observer. More cases may be added; a `switch` over events needs a `default`.
public enum PerdureEvent: Sendable {
    // MARK: Entities

    /// An entity was loaded from the store; `version` is 0 where nothing was stored.
    case entityActivated(persistenceID: String, version: UInt64, took: Duration)
    /// An entity left memory.
    case entityPassivated(persistenceID: String, reason: PassivationReason)
    /// A command was handled and answered.
    case commandHandled(persistenceID: String, version: UInt64, took: Duration)
    /// A command failed for another reason than the behavior's own refusal.
    case commandFailed(persistenceID: String, error: any Error)
    /// Another process wrote first; the entity reads again and handles the command again.
    case writeConflicted(persistenceID: String, attempt: Int, storedVersion: UInt64)
    /// Nobody knows whether a write happened; the entity reads again before its next command.
    case writeOutcomeUnknown(persistenceID: String, error: StoreError)
    /// A publisher failed to take a change; it will be asked again after a while.
    case publishFailed(publisher: String, persistenceID: String, attempt: Int, error: any Error)
    /// Changes were given up because the engine stopped before a publisher had taken them.
    case changesUndelivered(publisher: String, count: Int)

    // MARK: Stores

    /// A store is ready.
    case storeConnected(store: String)
    /// A store was disconnected by this program.
    case storeDisconnected(store: String)
    /// A store's schema was brought to a newer version.
    case schemaMigrated(store: String, from: Int, to: Int)
    /// A write was sent again under its own write ID, to learn what became of it.
    case writeRepeated(store: String, persistenceID: String, attempt: Int)
    /// A group commit ended: so many writes in one transaction.
    case batchCommitted(store: String, writes: Int, took: Duration)

    /// The store's server had something to say besides its answers: a notice or a warning.
    ///
    /// `code` is the server's own, such as an SQLSTATE. The message has no values in it: of what code inside the database
    /// raised, such as a trigger, it tells the place only.
    case serverNotice(store: String, severity: NoticeSeverity, code: String, message: String)

    /// A request to a store's service failed and is sent again after a while.
    case requestRetried(store: String, operation: String, attempt: Int, after: Duration, reason: String)
    /// A request was charged so many units of capacity, by a service that counts them.
    case capacityConsumed(store: String, operation: String, table: String, units: Double)

    // MARK: Workflows

    /// A run was begun, or taken up again, by this process.
    case runTakenUp(workflow: String, runID: String)
    /// A run was adopted from a worker that died, so many times in a row without a step being recorded.
    case runAdopted(workflow: String, runID: String, adoptions: Int)
    /// A run ended in this process, `took` after it was begun.
    case runEnded(workflow: String, runID: String, status: String, took: Duration)
    /// A run waits for a person's decision.
    case runParked(workflow: String, runID: String, reason: String)
    /// This process gave a run up: somebody else has it, or will.
    case runLost(workflow: String, runID: String)
    /// A write of a run failed and is tried again.
    case runWriteFailed(workflow: String, runID: String, failures: Int, error: StoreError)
    /// A step was recorded with its result.
    case stepEnded(runID: String, step: String, status: String, attempt: Int)
    /// An attempt of a step failed; another follows at a time in Unix milliseconds.
    case stepRetrying(runID: String, step: String, attempt: Int, at: Int64, reason: String)
    /// A handler said something.
    case stepLogged(runID: String, step: String, attempt: Int, message: String)
    /// A worker is registered, and takes runs.
    case workerRegistered(worker: String, name: String)
    /// A worker of another process was found dead; its runs can be adopted.
    case workerBuried(worker: String, name: String)
    /// This worker was taken for dead, or could not renew its lease; it gave up its runs.
    case leaseLost(worker: String, runs: Int)
    /// Ended runs whose time was over were removed.
    case runsPurged(count: Int)
    /// Something that an engine does again and again failed; it will be tried again.
    case engineTroubled(task: String, error: any Error)

    /// Why an entity left memory.
    public enum PassivationReason: String, Sendable, Hashable {
        /// Nobody had used it for the configured time.
        case idle
        /// More entities were live than configured, and it was the least recently used.
        case crowded
        /// The engine stopped, or the program asked for it.
        case stopped
    }

    /// How serious a server takes its notice; the names are PostgreSQL's.
    public enum NoticeSeverity: String, Sendable, Hashable {
        /// Something is probably not as it should be.
        case warning = "WARNING"
        /// Worth knowing for who sent the statement.
        case notice = "NOTICE"
        /// What was asked for.
        case info = "INFO"
        /// For the server's own log.
        case log = "LOG"
        /// For the server's authors.
        case debug = "DEBUG"
    }

    /// How much attention an event wants. Libraries speak at ``info`` or below, except where something needs a person.
    public enum Level: Int, Sendable, Hashable, Comparable {
        /// Every command: for debugging.
        case trace
        /// Now and then: loading, batches, retries.
        case debug
        /// Seldom: connecting, migrating.
        case info
        /// A person should look.
        case warning

        /// Levels are ordered by attention.
        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }
}

extension PerdureEvent {
    /// How much attention this event wants.
    public var level: Level {
        switch self {
        case .commandHandled, .batchCommitted, .capacityConsumed, .stepEnded, .runTakenUp, .runEnded: .trace
        case .entityActivated, .entityPassivated, .writeConflicted, .writeRepeated, .commandFailed,
            .requestRetried, .stepRetrying, .runsPurged:
            .debug
        case .storeConnected, .storeDisconnected, .schemaMigrated, .stepLogged, .workerRegistered, .runAdopted: .info
        case .writeOutcomeUnknown, .publishFailed, .changesUndelivered, .runParked, .runLost, .runWriteFailed,
            .workerBuried, .leaseLost, .engineTroubled:
            .warning
        case .serverNotice(_, let severity, _, _): severity == .warning ? .warning : .debug
        }
    }

    /// The event's name, dotted: the log message and the metric are called so.
    public var name: String {
        switch self {
        case .entityActivated: "entity.activated"
        case .entityPassivated: "entity.passivated"
        case .commandHandled: "entity.command.handled"
        case .commandFailed: "entity.command.failed"
        case .writeConflicted: "entity.write.conflicted"
        case .writeOutcomeUnknown: "entity.write.unknown"
        case .publishFailed: "entity.publish.failed"
        case .changesUndelivered: "entity.changes.undelivered"
        case .storeConnected: "store.connected"
        case .storeDisconnected: "store.disconnected"
        case .schemaMigrated: "store.schema.migrated"
        case .writeRepeated: "store.write.repeated"
        case .batchCommitted: "store.batch.committed"
        case .serverNotice: "store.server.notice"
        case .requestRetried: "store.request.retried"
        case .capacityConsumed: "store.capacity.consumed"
        case .runTakenUp: "run.taken.up"
        case .runAdopted: "run.adopted"
        case .runEnded: "run.ended"
        case .runParked: "run.parked"
        case .runLost: "run.lost"
        case .runWriteFailed: "run.write.failed"
        case .stepEnded: "step.ended"
        case .stepRetrying: "step.retrying"
        case .stepLogged: "step.logged"
        case .workerRegistered: "worker.registered"
        case .workerBuried: "worker.buried"
        case .leaseLost: "worker.lease.lost"
        case .runsPurged: "run.purged"
        case .engineTroubled: "engine.troubled"
        }
    }

    /// The event's details as text, under dotted keys; errors in full.
    public var fields: [(key: String, value: String)] {
        switch self {
        case .entityActivated(let id, let version, let took):
            [("entity.id", id), ("entity.version", "\(version)"), ("took", "\(took)")]
        case .entityPassivated(let id, let reason):
            [("entity.id", id), ("reason", reason.rawValue)]
        case .commandHandled(let id, let version, let took):
            [("entity.id", id), ("entity.version", "\(version)"), ("took", "\(took)")]
        case .commandFailed(let id, let error):
            [("entity.id", id), ("error", String(reflecting: error))]
        case .writeConflicted(let id, let attempt, let stored):
            [("entity.id", id), ("attempt", "\(attempt)"), ("stored.version", "\(stored)")]
        case .writeOutcomeUnknown(let id, let error):
            [("entity.id", id), ("error", String(reflecting: error))]
        case .publishFailed(let publisher, let id, let attempt, let error):
            [
                ("publisher", publisher), ("entity.id", id), ("attempt", "\(attempt)"),
                ("error", String(reflecting: error)),
            ]
        case .changesUndelivered(let publisher, let count):
            [("publisher", publisher), ("count", "\(count)")]
        case .storeConnected(let store), .storeDisconnected(let store):
            [("store", store)]
        case .schemaMigrated(let store, let from, let to):
            [("store", store), ("from", "\(from)"), ("to", "\(to)")]
        case .writeRepeated(let store, let id, let attempt):
            [("store", store), ("entity.id", id), ("attempt", "\(attempt)")]
        case .batchCommitted(let store, let writes, let took):
            [("store", store), ("writes", "\(writes)"), ("took", "\(took)")]
        case .serverNotice(let store, let severity, let code, let message):
            [("store", store), ("severity", severity.rawValue), ("code", code), ("message", message)]
        case .requestRetried(let store, let operation, let attempt, let after, let reason):
            [
                ("store", store), ("operation", operation), ("attempt", "\(attempt)"), ("after", "\(after)"),
                ("reason", reason),
            ]
        case .capacityConsumed(let store, let operation, let table, let units):
            [("store", store), ("operation", operation), ("table", table), ("units", "\(units)")]
        default: self.workflowFields
        }
    }
}
