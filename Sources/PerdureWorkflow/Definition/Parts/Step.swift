internal import PerdureModel

/// A part of a workflow that runs a handler, and whose result is stored.
///
/// ```swift
/// Step("reserve") { (order: Order) in try await warehouse.reserve(order) }
///     .retry(.exponential(attempts: 5))
///     .timeout(.seconds(30))
/// ```
///
/// A handler runs at least once and its result is recorded exactly once: after a crash in between it runs again, with the same
/// ``StepContext/idempotencyKey``. What it throws is a failed attempt, after which the retry policy decides.
public struct Step<Input: Codable & Sendable, Output: Codable & Sendable>: StepPart {
    var node: Node

    /// A step that turns its input into an output.
    ///
    /// - Parameters:
    ///   - name: its name, unique in the workflow: 1 to 200 bytes without control characters and `[`, `]`, `#`, `/`. Renaming a
    ///     step makes another one of it.
    ///   - handler: what it does.
    public init(_ name: String, _ handler: @escaping @Sendable (Input) async throws -> Output) {
        self.init(name, kind: .step { value, _ in RunValue(try await handler(value.decoded(as: Input.self))) })
    }

    /// A step whose handler is told about the run and the attempt.
    public init(_ name: String, _ handler: @escaping @Sendable (Input, StepContext) async throws -> Output) {
        self.init(
            name, kind: .step { value, context in RunValue(try await handler(value.decoded(as: Input.self), context)) })
    }

    init(_ name: String, kind: Node.Kind) {
        var settings = StepSettings()
        settings.validation = Validation.automatic(of: Input.self)
        self.node = Node(name: name, kind: kind, settings: settings, outputType: StoredTypeName.of(Output.self))
    }

    init(_ node: Node) { self.node = node }

    public var step: Step<Input, Output> { self }
}

extension Step where Output == Done {
    /// A step whose handler gives nothing: its output is ``Done``.
    @_disfavoredOverload
    public init(_ name: String, _ handler: @escaping @Sendable (Input) async throws -> Void) {
        self.init(name) { (input: Input) -> Done in
            try await handler(input)
            return Done()
        }
    }

    /// A step whose handler gives nothing, and is told about the run and the attempt.
    @_disfavoredOverload
    public init(_ name: String, _ handler: @escaping @Sendable (Input, StepContext) async throws -> Void) {
        self.init(name) { (input: Input, context: StepContext) -> Done in
            try await handler(input, context)
            return Done()
        }
    }
}
