/// Waits until somebody sends the run a signal, then runs a handler with its input and the signal.
///
/// ```swift
/// WaitForSignal("confirmed", Confirmation.self, timeout: .seconds(3600)) { (booking: Booking, signal: Confirmation?) in
///     booking.confirmed(by: signal?.agent)
/// }
/// ```
///
/// A waiting run holds no thread and survives restarts. The oldest signal of the name that no step has taken counts, also one that came
/// before the wait began; it is taken once. With a time-out, a handler that takes an optional runs without a signal when the time is
/// over; with one that does not, the step fails with ``RunFailure/Code/timeout``. Retries and ``StepPart/timeout(_:)`` are those of the
/// handler, not of the wait.
public struct WaitForSignal<Input: Codable & Sendable, Signal: Codable & Sendable, Output: Codable & Sendable>: StepPart
{
    public let step: Step<Input, Output>

    private init(
        _ name: String, signal: String?, timeout: Duration?, isRequired: Bool,
        _ handler: @escaping @Sendable (Input, RunValue?, StepContext) async throws -> Output
    ) {
        let waiting = Node.Waiting(name: signal ?? name, timeout: timeout, isRequired: isRequired) {
            RunValue(try await handler($0.decoded(as: Input.self), $1, $2))
        }
        self.step = Step(name, kind: .signal(waiting))
    }

    /// A wait whose handler gets the signal.
    ///
    /// - Parameters:
    ///   - name: the part's name, unique in the workflow.
    ///   - type: what the signal brings along.
    ///   - signal: the name of the signal; nil for the part's.
    ///   - timeout: how long to wait; nil for ever.
    ///   - handler: what to do when it has come; without one the step fails when the time is over.
    public init(
        _ name: String, _ type: Signal.Type, signal: String? = nil, timeout: Duration? = nil,
        _ handler: @escaping @Sendable (Input, Signal) async throws -> Output
    ) {
        self.init(name, signal: signal, timeout: timeout, isRequired: true) { input, signal, _ in
            try await handler(input, required(signal))
        }
    }

    /// A wait whose handler gets the signal, and is told about the run.
    public init(
        _ name: String, _ type: Signal.Type, signal: String? = nil, timeout: Duration? = nil,
        _ handler: @escaping @Sendable (Input, Signal, StepContext) async throws -> Output
    ) {
        self.init(name, signal: signal, timeout: timeout, isRequired: true) { input, signal, context in
            try await handler(input, required(signal), context)
        }
    }

    /// A wait that ends after `timeout`: the handler gets the signal, or nil.
    public init(
        _ name: String, _ type: Signal.Type, signal: String? = nil, timeout: Duration,
        _ handler: @escaping @Sendable (Input, Signal?) async throws -> Output
    ) {
        self.init(name, signal: signal, timeout: timeout, isRequired: false) { input, signal, _ in
            try await handler(input, signal?.decoded(as: Signal.self))
        }
    }

    /// A wait that ends after `timeout`: the handler gets the signal, or nil, and is told about the run.
    public init(
        _ name: String, _ type: Signal.Type, signal: String? = nil, timeout: Duration,
        _ handler: @escaping @Sendable (Input, Signal?, StepContext) async throws -> Output
    ) {
        self.init(name, signal: signal, timeout: timeout, isRequired: false) { input, signal, context in
            try await handler(input, signal?.decoded(as: Signal.self), context)
        }
    }
}

extension WaitForSignal where Output == Done {
    /// A wait whose handler gets the signal; it gives nothing.
    @_disfavoredOverload
    public init(
        _ name: String, _ type: Signal.Type, signal: String? = nil, timeout: Duration? = nil,
        _ handler: @escaping @Sendable (Input, Signal) async throws -> Void
    ) {
        self.init(name, signal: signal, timeout: timeout, isRequired: true) { input, signal, _ in
            try await handler(input, required(signal))
            return Done()
        }
    }

    /// A wait whose handler gets the signal; it gives nothing, and is told about the run.
    @_disfavoredOverload
    public init(
        _ name: String, _ type: Signal.Type, signal: String? = nil, timeout: Duration? = nil,
        _ handler: @escaping @Sendable (Input, Signal, StepContext) async throws -> Void
    ) {
        self.init(name, signal: signal, timeout: timeout, isRequired: true) { input, signal, context in
            try await handler(input, required(signal), context)
            return Done()
        }
    }

    /// A wait that ends after `timeout`: the handler gets the signal, or nil; it gives nothing.
    @_disfavoredOverload
    public init(
        _ name: String, _ type: Signal.Type, signal: String? = nil, timeout: Duration,
        _ handler: @escaping @Sendable (Input, Signal?) async throws -> Void
    ) {
        self.init(name, signal: signal, timeout: timeout, isRequired: false) { input, signal, _ in
            try await handler(input, signal?.decoded(as: Signal.self))
            return Done()
        }
    }

    /// A wait that ends after `timeout`: the handler gets the signal, or nil; it gives nothing, and is told about the run.
    @_disfavoredOverload
    public init(
        _ name: String, _ type: Signal.Type, signal: String? = nil, timeout: Duration,
        _ handler: @escaping @Sendable (Input, Signal?, StepContext) async throws -> Void
    ) {
        self.init(name, signal: signal, timeout: timeout, isRequired: false) { input, signal, context in
            try await handler(input, signal?.decoded(as: Signal.self), context)
            return Done()
        }
    }
}

/// What a handler gets that cannot go on without a signal.
private func required<Signal: Codable & Sendable>(_ signal: RunValue?) throws -> Signal {
    guard let signal else { throw MissingSignal() }
    return try signal.decoded(as: Signal.self)
}

/// Thrown where a required signal is not there: whoever drives the run fails the step before that.
struct MissingSignal: Error, CustomStringConvertible {
    var description: String { "the signal did not come in time" }
}
