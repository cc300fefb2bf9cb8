/// How a step is carried out.
///
/// No part of a definition's structure: a run goes on when they have changed.
package struct StepSettings: Sendable {
    /// When a failed attempt is followed by another; nil for the workflow's.
    package var retry: RetryPolicy?
    /// How long an attempt may take; nil for the workflow's.
    package var timeout: Duration?
    /// Whether the run goes on when the step has failed for good, and with which output.
    package var outputAfterFailure: RunValue?
    /// Throws a ``ValidationError`` when an input is not acceptable, and nothing else; a ``PayloadError`` when it cannot be read.
    package var validation: (@Sendable (RunValue) throws -> Void)?
    /// Whether the step runs at all; asked once, before the first attempt, and recorded with the step.
    package var condition: (@Sendable (RunValue, StepContext) async throws -> Bool)?
    /// The output where the condition does not hold; nil passes the input on.
    package var otherwise: RunValue?
    /// What it means to run it again after a crash.
    package var rerun: Rerun = .idempotent
    /// Limits how many attempts of this key run at once in an engine.
    package var concurrency: (key: String, limit: Int)?

    package init() {}
}

/// What it means to run a step again when nobody knows how far it came.
public enum Rerun: String, Sendable, Hashable {
    /// It does no harm: its effects carry the idempotency key, or have none.
    case idempotent
    /// It must not be: the run is parked, and a person decides.
    case atMostOnce
}
