/// What holds for all steps and runs of a workflow, where a step does not say otherwise.
public struct WorkflowConfiguration: Sendable {
    /// When a failed attempt is followed by another. As with Gorkflow: three times, after one, two and three seconds.
    public var retry: RetryPolicy
    /// How long an attempt of a step may take; nil for any time. As with Gorkflow: 30 seconds.
    public var stepTimeout: Duration?
    /// How long a run may take from its first step on, waits included; nil for any time. A run that takes longer fails with
    /// ``RunFailure/Code/timeout``.
    public var runTimeout: Duration?
    /// How many runs of the workflow may run at once, in all processes together; nil for any number.
    public var concurrencyLimit: Int?
    /// How many runs of the workflow for one resource may run at once, in all processes together; nil for any number.
    public var resourceConcurrencyLimit: Int?
    /// How long an ended run is kept, counted from its end; nil for ever.
    public var retention: Duration?

    /// Makes a configuration.
    public init(
        retry: RetryPolicy = .linear(attempts: 4), stepTimeout: Duration? = .seconds(30), runTimeout: Duration? = nil,
        concurrencyLimit: Int? = nil, resourceConcurrencyLimit: Int? = nil, retention: Duration? = nil
    ) {
        self.retry = retry
        self.stepTimeout = stepTimeout
        self.runTimeout = runTimeout
        self.concurrencyLimit = concurrencyLimit
        self.resourceConcurrencyLimit = resourceConcurrencyLimit
        self.retention = retention
    }
}
