/// What was asked for when a run was started: the part of a run that never changes.
public struct RunRequest: Sendable {
    /// The run's ID; keeps the rule of ``PersistenceID``.
    public var id: String
    /// The workflow's name.
    public var workflow: String
    /// The version of the workflow that the run was started with.
    public var version: String
    /// What the first steps are given.
    public var input: RunValue
    /// What the program attached for its own use.
    public var context: RunValue?
    /// What the run is about: runs can be listed and limited by it.
    public var resourceID: String?
    /// Names and values to list runs by.
    public var tags: [String: String]
    /// Runs of a higher priority are begun first; 0 is usual.
    public var priority: Int
    /// How many runs of the same workflow may be ``RunStatus/running`` at once, in all processes together; nil for any number.
    public var workflowLimit: Int?
    /// How many runs of the same workflow and ``resourceID`` may be ``RunStatus/running`` at once; nil for any number.
    public var resourceLimit: Int?
    /// What caused the run.
    public var trigger: RunTrigger?
    /// The run and the step that wait for this one.
    public var parent: RunParent?
    /// The run that this one was forked from.
    public var forkedFrom: String?
    /// When it was asked for, in Unix milliseconds.
    public var createdAt: Int64

    /// Makes a request without extras.
    public init(id: String, workflow: String, version: String, input: RunValue, createdAt: Int64) {
        self.id = id
        self.workflow = workflow
        self.version = version
        self.input = input
        self.context = nil
        self.resourceID = nil
        self.tags = [:]
        self.priority = 0
        self.workflowLimit = nil
        self.resourceLimit = nil
        self.trigger = nil
        self.parent = nil
        self.forkedFrom = nil
        self.createdAt = createdAt
    }
}

/// What caused a run.
public struct RunTrigger: Sendable, Hashable, Codable {
    /// The kind of cause, such as `schedule`, `api` or `event`.
    public var type: String
    /// Who or what it was.
    public var source: String
    /// When it was, in Unix milliseconds.
    public var timestamp: Int64
    /// More about it.
    public var metadata: [String: String]

    /// Makes a trigger.
    public init(type: String, source: String, timestamp: Int64, metadata: [String: String] = [:]) {
        self.type = type
        self.source = source
        self.timestamp = timestamp
        self.metadata = metadata
    }
}

/// Who waits for a run.
public struct RunParent: Sendable, Hashable, Codable {
    /// The waiting run.
    public var runID: String
    /// The waiting step.
    public var step: String

    /// Makes a parent.
    public init(runID: String, step: String) {
        self.runID = runID
        self.step = step
    }
}
