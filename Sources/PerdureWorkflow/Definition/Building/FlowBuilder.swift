/// Puts parts in a row; the program only compiles when each takes what the one before gives.
///
/// What concerns waits is disfavored: the compiler then reports parts that do not fit where they are, and with their types.
@resultBuilder
public enum FlowBuilder {
    /// A part of its own types.
    public static func buildExpression<Part: FlowPart>(_ part: Part) -> Flow<Part.Input, Part.Output> { part.parts }

    /// A part that passes on whatever it is given.
    public static func buildExpression(_ sleep: Sleep) -> Pauses { Pauses(nodes: [sleep.node]) }

    /// The first part.
    public static func buildPartialBlock<Input, Output>(first: Flow<Input, Output>) -> Flow<Input, Output> { first }

    /// A wait before the first part.
    public static func buildPartialBlock(first: Pauses) -> Pauses { first }

    /// A part that takes what the one before gives.
    public static func buildPartialBlock<Input, Between, Output>(
        accumulated: Flow<Input, Between>, next: Flow<Between, Output>
    ) -> Flow<Input, Output> {
        accumulated.followed(by: next)
    }

    /// A wait after a part.
    @_disfavoredOverload
    public static func buildPartialBlock<Input, Output>(
        accumulated: Flow<Input, Output>, next: Pauses
    ) -> Flow<Input, Output> {
        accumulated.followed(by: next.passing(Output.self))
    }

    /// A part after waits with which everything begins.
    @_disfavoredOverload
    public static func buildPartialBlock<Input, Output>(
        accumulated: Pauses, next: Flow<Input, Output>
    ) -> Flow<Input, Output> {
        accumulated.passing(Input.self).followed(by: next)
    }

    /// A wait after waits with which everything begins.
    @_disfavoredOverload
    public static func buildPartialBlock(accumulated: Pauses, next: Pauses) -> Pauses {
        Pauses(
            nodes: accumulated.nodes + next.nodes.moved(by: accumulated.nodes.count, input: accumulated.nodes.count - 1)
        )
    }

    /// No part: not a workflow.
    @available(*, unavailable, message: "there is no part: a workflow, and a branch, has at least one")
    public static func buildBlock<Input, Output>() -> Flow<Input, Output> { Flow(nodes: []) }

    /// A part that is not always there.
    @available(
        *, unavailable, message: "a workflow always has the same parts; let a step run under a condition with .when"
    )
    public static func buildOptional<Input, Output>(_ flow: Flow<Input, Output>?) -> Flow<Input, Output> {
        flow ?? Flow(nodes: [])
    }

    /// One part or another.
    @available(
        *, unavailable, message: "a workflow always has the same parts; let a step run under a condition with .when"
    )
    public static func buildEither<Input, Output>(first flow: Flow<Input, Output>) -> Flow<Input, Output> { flow }

    /// One part or another.
    @available(
        *, unavailable, message: "a workflow always has the same parts; let a step run under a condition with .when"
    )
    public static func buildEither<Input, Output>(second flow: Flow<Input, Output>) -> Flow<Input, Output> { flow }

    /// So many parts as the program has a list for.
    @available(*, unavailable, message: "a workflow always has the same parts; ForEach is the loop of a run")
    public static func buildArray<Input, Output>(_ flows: [Flow<Input, Output>]) -> Flow<Input, Output> {
        flows.first ?? Flow(nodes: [])
    }

    /// All parts in a row.
    public static func buildFinalResult<Input, Output>(_ flow: Flow<Input, Output>) -> Flow<Input, Output> { flow }

    /// Nothing but waits, for a value whose type is known from elsewhere.
    public static func buildFinalResult<Value>(_ pauses: Pauses) -> Flow<Value, Value> { pauses.passing(Value.self) }
}

/// Waits that pass on whatever they are given; an intermediate of ``FlowBuilder``.
public struct Pauses: Sendable {
    let nodes: [Node]

    func passing<Value>(_ type: Value.Type) -> Flow<Value, Value> { Flow(nodes: self.nodes) }
}
