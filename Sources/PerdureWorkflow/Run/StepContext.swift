public import PerdureModel

/// What a handler is told about the run and the attempt that it is part of.
///
/// Good for the time of the attempt: what is put into ``state`` counts with the attempt's result, and not at all when it fails.
public struct StepContext: Sendable {
    /// The run's ID.
    public let runID: String
    /// The step's ID in the run; of an element of a loop, with its number.
    public let step: String
    /// The number of this attempt, from 1. It goes on counting after a failure that was recorded, also when the process crashed since.
    public let attempt: Int

    let source: any StepContextSource

    init(runID: String, step: String, attempt: Int, source: any StepContextSource) {
        self.runID = runID
        self.step = step
        self.attempt = attempt
        self.source = source
    }

    /// Names what the step does to the world: the same for all attempts, and after a crash.
    ///
    /// Give it to services that do nothing twice under one key, and a step that runs again does no harm.
    public var idempotencyKey: String { "\(self.runID)/\(self.step)" }

    /// Names this attempt: another one for each, except that an attempt after a crash has the key of the one that was lost.
    public var attemptKey: String { "\(self.idempotencyKey)/\(self.attempt)" }

    // MARK: The run

    /// The workflow's name.
    public var workflow: String { self.source.request.workflow }
    /// The version of the workflow that the run was started with.
    public var version: String { self.source.request.version }
    /// The tags that the run was started with.
    public var tags: [String: String] { self.source.request.tags }
    /// What the run is about.
    public var resourceID: String? { self.source.request.resourceID }
    /// The run's priority.
    public var priority: Int { self.source.request.priority }
    /// What caused the run.
    public var trigger: RunTrigger? { self.source.request.trigger }

    /// What the program attached to the run when it was started; nil when it attached nothing.
    ///
    /// - Throws: ``PayloadError`` when it is no `Value`.
    public func custom<Value: Codable & Sendable>(as type: Value.Type = Value.self) throws(PayloadError) -> Value? {
        guard let value = self.source.request.context else { return nil }
        return try value.decoded(as: type)
    }

    /// What a step before this one gave; nil where there is none of that name before this one.
    ///
    /// Steps beside this one do not count, however fast they were: what a step sees depends on the definition alone.
    ///
    /// - Throws: ``PayloadError`` when it is no `Value`.
    public func output<Value: Codable & Sendable>(
        of step: String, as type: Value.Type = Value.self
    ) throws(PayloadError) -> Value? {
        guard let value = self.source.output(ofStep: step) else { return nil }
        return try value.decoded(as: type)
    }

    /// The values that the steps of the run share.
    public var state: RunState { RunState(source: self.source) }

    // MARK: The attempt

    /// Whether the attempt is not wanted any more: its time is over, the run was cancelled, or this process lost it.
    ///
    /// Its task is cancelled then as well. Whatever it gives is not recorded.
    public var isCancelled: Bool { self.source.isCancelled }

    /// How much of its time the attempt has left; nil without a time-out. Never negative.
    public var remainingTime: Duration? { self.source.remainingTime }

    /// Tells the engine's observer something about the attempt: ``PerdureEvent/stepLogged(runID:step:attempt:message:)``.
    public func log(_ message: @autoclosure () -> String) {
        guard let observer = self.source.observer else { return }
        observer.observe(.stepLogged(runID: self.runID, step: self.step, attempt: self.attempt, message: message()))
    }
}

/// The values that the steps of a run share, as one attempt sees them.
///
/// An attempt sees what it has set itself, and what the steps before it have set; of several that set one key, the one that is
/// declared last. It never sees what steps beside it do. What it sets is recorded with its result, atomically.
public struct RunState: Sendable {
    let source: any StepContextSource

    /// The value of a key.
    ///
    /// Reading gives the key's default where nothing is set, and where what is set cannot be read as the key's type; ``value(of:)``
    /// throws then.
    public subscript<Value: Codable & Sendable>(key: RunStateKey<Value>) -> Value {
        get { (try? self.value(of: key)) ?? key.defaultValue }
        nonmutating set { self.source.setState(key.name, to: RunValue(newValue)) }
    }

    /// The value of a key; its default where nothing is set.
    ///
    /// - Throws: ``PayloadError`` when what is set is no `Value`.
    public func value<Value: Codable & Sendable>(of key: RunStateKey<Value>) throws(PayloadError) -> Value {
        guard let value = self.source.state(key.name) else { return key.defaultValue }
        return try value.decoded(as: Value.self)
    }

    /// Removes a key: it has its default again.
    public func remove<Value>(_ key: RunStateKey<Value>) { self.source.setState(key.name, to: nil) }
}

/// What a context asks of the run it belongs to.
protocol StepContextSource: AnyObject, Sendable {
    var request: RunRequest { get }
    var isCancelled: Bool { get }
    var remainingTime: Duration? { get }
    var observer: (any EventObserver)? { get }
    func output(ofStep name: String) -> RunValue?
    func state(_ key: String) -> RunValue?
    func setState(_ key: String, to value: RunValue?)
}
