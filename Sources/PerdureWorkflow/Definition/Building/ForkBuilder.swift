/// Puts branches side by side; the program only compiles when all take the same input, and there are 2 to 6 of them.
@resultBuilder
public enum ForkBuilder {
    /// A branch of one part; ``Branch`` makes one of several.
    public static func buildExpression<Part: FlowPart>(_ part: Part) -> Flow<Part.Input, Part.Output> { part.parts }

    /// Two branches.
    public static func buildBlock<Input, A, B>(
        _ a: Flow<Input, A>, _ b: Flow<Input, B>
    ) -> Flow<Input, Outputs2<A, B>> {
        self.fork([a.nodes, b.nodes]) { outputs in
            RunValue(
                Outputs2(
                    try outputs[0].decoded(as: A.self),
                    try outputs[1].decoded(as: B.self)))
        }
    }

    /// Three branches.
    public static func buildBlock<Input, A, B, C>(
        _ a: Flow<Input, A>, _ b: Flow<Input, B>, _ c: Flow<Input, C>
    ) -> Flow<Input, Outputs3<A, B, C>> {
        self.fork([a.nodes, b.nodes, c.nodes]) { outputs in
            RunValue(
                Outputs3(
                    try outputs[0].decoded(as: A.self),
                    try outputs[1].decoded(as: B.self),
                    try outputs[2].decoded(as: C.self)))
        }
    }

    /// Four branches.
    public static func buildBlock<Input, A, B, C, D>(
        _ a: Flow<Input, A>, _ b: Flow<Input, B>, _ c: Flow<Input, C>, _ d: Flow<Input, D>
    ) -> Flow<Input, Outputs4<A, B, C, D>> {
        self.fork([a.nodes, b.nodes, c.nodes, d.nodes]) { outputs in
            RunValue(
                Outputs4(
                    try outputs[0].decoded(as: A.self),
                    try outputs[1].decoded(as: B.self),
                    try outputs[2].decoded(as: C.self),
                    try outputs[3].decoded(as: D.self)))
        }
    }

    /// Five branches.
    public static func buildBlock<Input, A, B, C, D, E>(
        _ a: Flow<Input, A>, _ b: Flow<Input, B>, _ c: Flow<Input, C>, _ d: Flow<Input, D>, _ e: Flow<Input, E>
    ) -> Flow<Input, Outputs5<A, B, C, D, E>> {
        self.fork([a.nodes, b.nodes, c.nodes, d.nodes, e.nodes]) { outputs in
            RunValue(
                Outputs5(
                    try outputs[0].decoded(as: A.self),
                    try outputs[1].decoded(as: B.self),
                    try outputs[2].decoded(as: C.self),
                    try outputs[3].decoded(as: D.self),
                    try outputs[4].decoded(as: E.self)))
        }
    }

    /// Six branches.
    public static func buildBlock<Input, A, B, C, D, E, F>(
        _ a: Flow<Input, A>, _ b: Flow<Input, B>, _ c: Flow<Input, C>, _ d: Flow<Input, D>, _ e: Flow<Input, E>,
        _ f: Flow<Input, F>
    ) -> Flow<Input, Outputs6<A, B, C, D, E, F>> {
        self.fork([a.nodes, b.nodes, c.nodes, d.nodes, e.nodes, f.nodes]) { outputs in
            RunValue(
                Outputs6(
                    try outputs[0].decoded(as: A.self),
                    try outputs[1].decoded(as: B.self),
                    try outputs[2].decoded(as: C.self),
                    try outputs[3].decoded(as: D.self),
                    try outputs[4].decoded(as: E.self),
                    try outputs[5].decoded(as: F.self)))
        }
    }

    /// No branch: not a fork.
    @available(*, unavailable, message: "a fork has 2 to 6 branches; this one has none")
    public static func buildBlock() -> Flow<Done, Done> { Flow(nodes: []) }

    /// One branch: not a fork.
    @available(*, unavailable, message: "a fork has 2 to 6 branches; write a single one without a fork")
    public static func buildBlock<Input, Output>(_ branch: Flow<Input, Output>) -> Flow<Input, Output> { branch }

    /// More branches than there are types for.
    @available(*, unavailable, message: "a fork has 2 to 6 branches; put some of them into a fork of their own")
    public static func buildBlock<Input, A, B, C, D, E, F, G>(
        _ a: Flow<Input, A>, _ b: Flow<Input, B>, _ c: Flow<Input, C>, _ d: Flow<Input, D>, _ e: Flow<Input, E>,
        _ f: Flow<Input, F>, _ g: Flow<Input, G>, _ others: any FlowPart...
    ) -> Flow<Input, A> { a }

    private static func fork<Input, Output>(
        _ branches: [[Node]], gather: @escaping @Sendable ([RunValue]) throws -> RunValue
    ) -> Flow<Input, Output> {
        var nodes: [Node] = []
        var exits: [Int] = []
        for branch in branches {
            nodes += branch.moved(by: nodes.count, input: WorkflowGraph.input)
            exits.append(nodes.count - 1)
        }
        nodes.append(Node(name: "", kind: .gather(gather), inputs: exits))
        return Flow(nodes: nodes)
    }
}
