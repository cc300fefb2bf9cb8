/// A node of a definition: what the engine knows about a part of a workflow, with all types taken away.
package struct Node: Sendable {
    /// The name that the definition gives it; unique in the definition. The virtual nodes have none: they are never recorded.
    package let name: String
    /// What it does.
    package let kind: Kind
    /// Where its inputs come from: places of earlier nodes, or ``WorkflowGraph/input``. All kinds but ``Kind/gather(_:)`` have one.
    package var inputs: [Int]
    /// How it is carried out.
    package var settings: StepSettings

    package init(name: String, kind: Kind, inputs: [Int] = [WorkflowGraph.input], settings: StepSettings = .init()) {
        self.name = name
        self.kind = kind
        self.inputs = inputs
        self.settings = settings
    }

    /// What a node does. Handlers get values with their types taken away, and bring them back themselves.
    package enum Kind: Sendable {
        /// Runs a handler.
        case step(Handler)
        /// Puts the outputs of a fork's branches together, in declaration order. Virtual: computed when needed, never recorded.
        case gather(@Sendable ([RunValue]) throws -> RunValue)
        /// Waits, and passes its input on.
        case sleep(Sleeping)
        /// Waits for a signal, then runs a handler with it; without one when the time is over.
        case signal(
            name: String, timeout: Duration?, @Sendable (RunValue, RunValue?, StepContext) async throws -> RunValue)
        /// Starts a run of another workflow with its input, waits for it, and gives its output.
        case child(WorkflowGraph)
        /// Runs a handler for each element of a list, at most `limit` at once, and gives the results in the list's order.
        case loop(Loop)
    }

    package typealias Handler = @Sendable (RunValue, StepContext) async throws -> RunValue

    package enum Sleeping: Sendable {
        /// So long from when it is reached.
        case duration(Duration)
        /// Until a time that the input says, in Unix milliseconds.
        case until(@Sendable (RunValue) throws -> Int64)
    }

    package struct Loop: Sendable {
        package let limit: Int
        package let elements: @Sendable (RunValue) throws -> [RunValue]
        package let handler: Handler
        package let collect: @Sendable ([RunValue]) throws -> RunValue

        package init(
            limit: Int, elements: @escaping @Sendable (RunValue) throws -> [RunValue], handler: @escaping Handler,
            collect: @escaping @Sendable ([RunValue]) throws -> RunValue
        ) {
            self.limit = limit
            self.elements = elements
            self.handler = handler
            self.collect = collect
        }
    }
}

/// How a step is carried out.
package struct StepSettings: Sendable {
    /// When a failed attempt is followed by another; nil for the workflow's.
    package var retry: RetryPolicy?
    /// How long an attempt may take; nil for the workflow's.
    package var timeout: Duration?
    /// Whether the run goes on when the step has failed for good, and with which output.
    package var outputAfterFailure: RunValue?
    /// Throws when an input is not acceptable.
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
