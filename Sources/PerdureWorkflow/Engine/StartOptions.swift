/// How a run is started, beyond its input.
public struct StartOptions: Sendable {
    /// When the run begins; at once where it is in the past.
    public var begin: Beginning = .now
    /// Runs of a higher priority are begun first; 0 is usual.
    public var priority = 0
    /// What the run is about: runs can be listed and limited by it.
    public var resourceID: String?
    /// Names and values to list runs by.
    public var tags: [String: String] = [:]
    /// What caused the run.
    public var trigger: RunTrigger?
    /// Whether the limits of concurrency hold for this run; false lets it begin in spite of them.
    public var respectsLimits = true

    var context: RunValue?

    /// Options of nothing special.
    public init() {}

    /// Options of some of these.
    public init(
        begin: Beginning = .now, priority: Int = 0, resourceID: String? = nil, tags: [String: String] = [:],
        trigger: RunTrigger? = nil
    ) {
        self.begin = begin
        self.priority = priority
        self.resourceID = resourceID
        self.tags = tags
        self.trigger = trigger
    }

    /// The same options with a value for handlers to find: ``StepContext/custom(as:)``.
    public func context(_ value: some Codable & Sendable) -> StartOptions {
        var options = self
        options.context = RunValue(value)
        return options
    }

    /// When a run begins.
    public enum Beginning: Sendable, Hashable {
        /// As soon as there is a worker for it.
        case now
        /// After so long.
        case after(Duration)
        /// At a time, in Unix milliseconds.
        case at(Int64)
    }
}
