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
    /// The name of its output's type, without modules: part of the definition's structure. Empty where the input is passed on.
    package var outputType: String

    package init(
        name: String, kind: Kind, inputs: [Int] = [WorkflowGraph.input], settings: StepSettings = .init(),
        outputType: String = ""
    ) {
        self.name = name
        self.kind = kind
        self.inputs = inputs
        self.settings = settings
        self.outputType = outputType
    }

    /// Whether it is only computed and never recorded; only ``Kind/gather(_:)`` is.
    package var isVirtual: Bool {
        if case .gather = self.kind { true } else { false }
    }

    /// What a node does. Handlers get values with their types taken away, and bring them back themselves.
    package enum Kind: Sendable {
        /// Runs a handler.
        case step(Handler)
        /// Puts the outputs of a fork's branches together, in declaration order. Virtual: computed when needed, never recorded.
        case gather(@Sendable ([RunValue]) throws -> RunValue)
        /// Waits, and passes its input on. Of the settings only the condition is of use.
        case sleep(Sleeping)
        /// Waits for a signal, then runs a handler with it. The condition and the validation come before the wait; retry, time-out,
        /// re-running and concurrency are those of the handler.
        case signal(Waiting)
        /// Starts a run of another workflow with its input, waits for it, and gives its output. Of the settings, condition, validation
        /// and output after failure are of use.
        case child(WorkflowGraph)
        /// Runs a handler for each element of a list, at most `limit` at once, and gives the results in the list's order. Retry,
        /// time-out, re-running and concurrency are those of an element; the other settings are of the whole.
        case loop(Loop)
    }

    package typealias Handler = @Sendable (RunValue, StepContext) async throws -> RunValue

    package enum Sleeping: Sendable {
        /// So long from when it is reached.
        case duration(Duration)
        /// Until a time that the input says, in Unix milliseconds.
        case until(@Sendable (RunValue) throws -> Int64)
    }

    package struct Waiting: Sendable {
        /// The name of the signal.
        package let name: String
        /// How long to wait; nil for ever.
        package let timeout: Duration?
        /// Whether the step fails when the time is over; otherwise the handler runs without a signal.
        package let isRequired: Bool
        package let handler: @Sendable (RunValue, RunValue?, StepContext) async throws -> RunValue

        package init(
            name: String, timeout: Duration?, isRequired: Bool,
            handler: @escaping @Sendable (RunValue, RunValue?, StepContext) async throws -> RunValue
        ) {
            self.name = name
            self.timeout = timeout
            self.isRequired = isRequired
            self.handler = handler
        }
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
