internal import PerdureModel

/// Starts a run of another workflow with its input, waits for it, and gives its output.
///
/// ```swift
/// Child("care", passengerCare)
/// ```
///
/// The child is a run of its own, with a name made of the run's and the part's: it can be looked at, and goes on by itself. Cancelling
/// the run cancels it. When it fails, so does this part.
public struct Child<Input: Codable & Sendable, Output: Codable & Sendable>: FlowPart {
    private var node: Node

    /// A run of `workflow`.
    public init(_ name: String, _ workflow: Workflow<Input, Output>) {
        self.node = Step<Input, Output>(name, kind: .child(workflow.graph)).node
    }

    public var parts: Flow<Input, Output> { return Flow(self.node) }

    /// Lets the run go on when the child has failed or was cancelled; its output is nil then.
    @_disfavoredOverload
    public func continueOnError() -> Child<Input, Output?> {
        Child<Input, Output?>(node: self.node.continuingOnError(Output?.none))
    }

    /// Lets the run go on when the child has failed or was cancelled; its output, an optional anyway, is nil then.
    public func continueOnError<Wrapped>() -> Child<Input, Output> where Output == Wrapped? {
        Child<Input, Output>(node: self.node.continuingOnError(Output.none))
    }

    /// Refuses inputs for which `check` throws, before the child is started; see ``StepPart/validate(_:)``.
    public func validate(_ check: @escaping @Sendable (Input) throws -> Void) -> Child<Input, Output> {
        Child(Step<Input, Output>(self.node).validate(check))
    }

    /// Starts the child only where `condition` holds; otherwise the part is completed with `output`.
    public func when(
        _ condition: @escaping @Sendable (Input) async throws -> Bool, otherwise output: Output
    ) -> Child<Input, Output> {
        Child(Step<Input, Output>(self.node).when(condition, otherwise: output))
    }

    private init(_ step: Step<Input, Output>) { self.node = step.node }

    fileprivate init(node: Node) { self.node = node }
}

extension Child where Input == Output {
    /// Starts the child only where `condition` holds; otherwise the part is skipped, and its input passed on.
    public func when(_ condition: @escaping @Sendable (Input) async throws -> Bool) -> Child<Input, Output> {
        Child(node: Step<Input, Output>(self.node).when(condition).node)
    }
}
