internal import PerdureModel

/// A part that runs a handler: what can be said of all of them.
///
/// The handlers of a ``ForEach`` are each element's.
public protocol StepPart<Input, Output>: FlowPart {
    /// The same as a step.
    var step: Step<Input, Output> { get }
}

extension StepPart {
    /// The step as all that there is.
    public var parts: Flow<Input, Output> { return Flow(self.step.node) }

    /// Says when a failed attempt is followed by another; otherwise the workflow's policy does.
    public func retry(_ policy: RetryPolicy) -> Step<Input, Output> {
        self.with { $0.retry = policy }
    }

    /// Says how long an attempt may take; otherwise the workflow's configuration does.
    ///
    /// It is enforced: when the time is over the handler's task is cancelled, and what it still gives is ignored. The attempt has
    /// failed with ``RunFailure/Code/timeout``, and may be tried again.
    public func timeout(_ limit: Duration) -> Step<Input, Output> {
        self.with { $0.timeout = limit }
    }

    /// Says that the step must not run again when it is unknown how far it came.
    ///
    /// That it begins is recorded before it does. After a crash in the midst of it the run is parked, and a person decides. The same
    /// holds for an attempt that ran out of time.
    public func atMostOnce() -> Step<Input, Output> {
        self.with { $0.rerun = .atMostOnce }
    }

    /// Limits how many attempts of steps with this key run at once in an engine, in all of its runs.
    public func concurrency(key: String, limit: Int) -> Step<Input, Output> {
        self.with { $0.concurrency = (key, limit) }
    }

    /// Lets the run go on when the step has failed for good; its output is nil then.
    ///
    /// That is for what the handler throws, validation and time-outs included; a store that fails is never taken for it.
    @_disfavoredOverload
    public func continueOnError() -> Step<Input, Output?> {
        Step<Input, Output?>(self.step.node.continuingOnError(Output?.none))
    }

    /// Lets the run go on when the step has failed for good; its output, an optional anyway, is nil then.
    public func continueOnError<Wrapped>() -> Step<Input, Output> where Output == Wrapped? {
        Step<Input, Output>(self.step.node.continuingOnError(Output.none))
    }

    /// Refuses inputs for which `check` throws, before the first attempt.
    ///
    /// Such a step has failed and is not tried again. Inputs that are ``Validatable`` are checked without it. Only the reason of a ``ValidationError`` is recorded, of other errors
    /// the type: nothing of the rejected value.
    public func validate(_ check: @escaping @Sendable (Input) throws -> Void) -> Step<Input, Output> {
        self.with { $0.validation = Validation.both($0.validation, check) }
    }

    /// Runs the step only where `condition` holds; otherwise it is completed with `output`.
    ///
    /// The condition is asked once, and the answer recorded with the step.
    public func when(
        _ condition: @escaping @Sendable (Input) async throws -> Bool, otherwise output: Output
    ) -> Step<Input, Output> {
        self.when({ input, _ in try await condition(input) }, otherwise: output)
    }

    /// Runs the step only where `condition` holds, which is told about the run; otherwise it is completed with `output`.
    public func when(
        _ condition: @escaping @Sendable (Input, StepContext) async throws -> Bool, otherwise output: Output
    ) -> Step<Input, Output> {
        self.with {
            $0.condition = { try await condition($0.decoded(as: Input.self), $1) }
            $0.otherwise = RunValue(output)
        }
    }

    private func with(_ change: (inout StepSettings) -> Void) -> Step<Input, Output> {
        var step = self.step
        change(&step.node.settings)
        return step
    }
}

extension StepPart where Input == Output {
    /// Runs the step only where `condition` holds; otherwise it is skipped, and its input passed on.
    ///
    /// Only where output and input are of one type; give an output for `otherwise` where they are not. The condition is asked once,
    /// and the answer recorded with the step.
    public func when(_ condition: @escaping @Sendable (Input) async throws -> Bool) -> Step<Input, Output> {
        self.when { input, _ in try await condition(input) }
    }

    /// Runs the step only where `condition` holds, which is told about the run; otherwise it is skipped, and its input passed on.
    public func when(
        _ condition: @escaping @Sendable (Input, StepContext) async throws -> Bool
    ) -> Step<Input, Output> {
        var step = self.step
        step.node.settings.condition = { try await condition($0.decoded(as: Input.self), $1) }
        step.node.settings.otherwise = nil
        return step
    }
}

extension Node {
    /// The same node, with an output of the optional type where it has failed.
    func continuingOnError<Output: Codable & Sendable>(_ none: Output) -> Node {
        var node = self
        node.settings.outputAfterFailure = RunValue(none)
        node.outputType = StoredTypeName.of(Output.self)
        return node
    }
}
