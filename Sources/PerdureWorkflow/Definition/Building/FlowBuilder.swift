/// Puts parts in a row; the program only compiles when each takes what the one before gives.
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
    public static func buildPartialBlock<Input, Output>(
        accumulated: Flow<Input, Output>, next: Pauses
    ) -> Flow<Input, Output> {
        accumulated.followed(by: next.passing(Output.self))
    }

    /// A part after waits with which everything begins.
    public static func buildPartialBlock<Input, Output>(
        accumulated: Pauses, next: Flow<Input, Output>
    ) -> Flow<Input, Output> {
        accumulated.passing(Input.self).followed(by: next)
    }

    /// A wait after waits with which everything begins.
    public static func buildPartialBlock(accumulated: Pauses, next: Pauses) -> Pauses {
        Pauses(
            nodes: accumulated.nodes + next.nodes.moved(by: accumulated.nodes.count, input: accumulated.nodes.count - 1)
        )
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
