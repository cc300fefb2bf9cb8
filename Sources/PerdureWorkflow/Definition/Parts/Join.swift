/// A step after a fork: its handler gets the output of every branch, in the order of declaration.
///
/// ```swift
/// Join("ship") { (receipt: Receipt, parcel: Parcel) in try await carrier.ship(parcel, paidBy: receipt) }
/// ```
///
/// A ``Step`` that takes ``Outputs2`` (and so on) is the same.
public struct Join<Input: Codable & Sendable, Output: Codable & Sendable>: StepPart {
    public let step: Step<Input, Output>

    /// A step after two branches.
    public init<A, B>(
        _ name: String, _ handler: @escaping @Sendable (A, B) async throws -> Output
    ) where Input == Outputs2<A, B> {
        self.step = Step(name) { try await handler($0.first, $0.second) }
    }

    /// A step after two branches, told about the run and the attempt.
    public init<A, B>(
        _ name: String, _ handler: @escaping @Sendable (A, B, StepContext) async throws -> Output
    ) where Input == Outputs2<A, B> {
        self.step = Step(name) { try await handler($0.first, $0.second, $1) }
    }

    /// A step after three branches.
    public init<A, B, C>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C) async throws -> Output
    ) where Input == Outputs3<A, B, C> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third) }
    }

    /// A step after three branches, told about the run and the attempt.
    public init<A, B, C>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, StepContext) async throws -> Output
    ) where Input == Outputs3<A, B, C> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $1) }
    }

    /// A step after four branches.
    public init<A, B, C, D>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, D) async throws -> Output
    ) where Input == Outputs4<A, B, C, D> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $0.fourth) }
    }

    /// A step after four branches, told about the run and the attempt.
    public init<A, B, C, D>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, D, StepContext) async throws -> Output
    ) where Input == Outputs4<A, B, C, D> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $0.fourth, $1) }
    }

    /// A step after five branches.
    public init<A, B, C, D, E>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, D, E) async throws -> Output
    ) where Input == Outputs5<A, B, C, D, E> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $0.fourth, $0.fifth) }
    }

    /// A step after five branches, told about the run and the attempt.
    public init<A, B, C, D, E>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, D, E, StepContext) async throws -> Output
    ) where Input == Outputs5<A, B, C, D, E> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $0.fourth, $0.fifth, $1) }
    }

    /// A step after six branches.
    public init<A, B, C, D, E, F>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, D, E, F) async throws -> Output
    ) where Input == Outputs6<A, B, C, D, E, F> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $0.fourth, $0.fifth, $0.sixth) }
    }

    /// A step after six branches, told about the run and the attempt.
    public init<A, B, C, D, E, F>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, D, E, F, StepContext) async throws -> Output
    ) where Input == Outputs6<A, B, C, D, E, F> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $0.fourth, $0.fifth, $0.sixth, $1) }
    }
}

extension Join where Output == Done {
    /// A step after two branches that gives nothing.
    @_disfavoredOverload
    public init<A, B>(
        _ name: String, _ handler: @escaping @Sendable (A, B) async throws -> Void
    ) where Input == Outputs2<A, B> {
        self.step = Step(name) { try await handler($0.first, $0.second) }
    }

    /// A step after two branches that gives nothing, told about the run and the attempt.
    @_disfavoredOverload
    public init<A, B>(
        _ name: String, _ handler: @escaping @Sendable (A, B, StepContext) async throws -> Void
    ) where Input == Outputs2<A, B> {
        self.step = Step(name) { try await handler($0.first, $0.second, $1) }
    }

    /// A step after three branches that gives nothing.
    @_disfavoredOverload
    public init<A, B, C>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C) async throws -> Void
    ) where Input == Outputs3<A, B, C> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third) }
    }

    /// A step after three branches that gives nothing, told about the run and the attempt.
    @_disfavoredOverload
    public init<A, B, C>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, StepContext) async throws -> Void
    ) where Input == Outputs3<A, B, C> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $1) }
    }

    /// A step after four branches that gives nothing.
    @_disfavoredOverload
    public init<A, B, C, D>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, D) async throws -> Void
    ) where Input == Outputs4<A, B, C, D> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $0.fourth) }
    }

    /// A step after four branches that gives nothing, told about the run and the attempt.
    @_disfavoredOverload
    public init<A, B, C, D>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, D, StepContext) async throws -> Void
    ) where Input == Outputs4<A, B, C, D> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $0.fourth, $1) }
    }

    /// A step after five branches that gives nothing.
    @_disfavoredOverload
    public init<A, B, C, D, E>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, D, E) async throws -> Void
    ) where Input == Outputs5<A, B, C, D, E> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $0.fourth, $0.fifth) }
    }

    /// A step after five branches that gives nothing, told about the run and the attempt.
    @_disfavoredOverload
    public init<A, B, C, D, E>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, D, E, StepContext) async throws -> Void
    ) where Input == Outputs5<A, B, C, D, E> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $0.fourth, $0.fifth, $1) }
    }

    /// A step after six branches that gives nothing.
    @_disfavoredOverload
    public init<A, B, C, D, E, F>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, D, E, F) async throws -> Void
    ) where Input == Outputs6<A, B, C, D, E, F> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $0.fourth, $0.fifth, $0.sixth) }
    }

    /// A step after six branches that gives nothing, told about the run and the attempt.
    @_disfavoredOverload
    public init<A, B, C, D, E, F>(
        _ name: String, _ handler: @escaping @Sendable (A, B, C, D, E, F, StepContext) async throws -> Void
    ) where Input == Outputs6<A, B, C, D, E, F> {
        self.step = Step(name) { try await handler($0.first, $0.second, $0.third, $0.fourth, $0.fifth, $0.sixth, $1) }
    }
}
