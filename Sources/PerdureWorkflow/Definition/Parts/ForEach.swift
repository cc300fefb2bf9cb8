/// Runs a handler for each element of a list, some at once; its output has the results in the order of the list.
///
/// ```swift
/// ForEach("rebook", limit: 8) { (passenger: Passenger) in try await desk.rebook(passenger) }
/// ```
///
/// Each element's result is recorded by itself: after a crash only the elements without one run again. Retries and time-outs are an
/// element's. When one fails for good the others are cancelled and the step fails. An empty list gives an empty list.
public struct ForEach<Element: Codable & Sendable, Result: Codable & Sendable>: StepPart {
    public typealias Input = [Element]
    public typealias Output = [Result]

    public let step: Step<[Element], [Result]>

    /// A loop over a list.
    ///
    /// - Parameters:
    ///   - name: its name, unique in the workflow.
    ///   - limit: how many elements run at once; at least 1.
    ///   - handler: what is done with an element.
    public init(_ name: String, limit: Int, _ handler: @escaping @Sendable (Element) async throws -> Result) {
        self.init(name, limit: limit) { (element: Element, _: StepContext) in try await handler(element) }
    }

    /// A loop over a list whose handler is told about the run and the attempt.
    public init(
        _ name: String, limit: Int, _ handler: @escaping @Sendable (Element, StepContext) async throws -> Result
    ) {
        let loop = Node.Loop(
            limit: limit,
            elements: { try $0.decoded(as: [Element].self).map { RunValue($0) } },
            handler: { RunValue(try await handler($0.decoded(as: Element.self), $1)) },
            collect: { RunValue(try $0.map { try $0.decoded(as: Result.self) }) })
        self.step = Step(name, kind: .loop(loop))
    }
}

extension ForEach where Result == Done {
    /// A loop whose handler gives nothing.
    @_disfavoredOverload
    public init(_ name: String, limit: Int, _ handler: @escaping @Sendable (Element) async throws -> Void) {
        self.init(name, limit: limit) { (element: Element, _: StepContext) -> Done in
            try await handler(element)
            return Done()
        }
    }

    /// A loop whose handler gives nothing, and is told about the run and the attempt.
    @_disfavoredOverload
    public init(
        _ name: String, limit: Int, _ handler: @escaping @Sendable (Element, StepContext) async throws -> Void
    ) {
        self.init(name, limit: limit) { (element: Element, context: StepContext) -> Done in
            try await handler(element, context)
            return Done()
        }
    }
}
