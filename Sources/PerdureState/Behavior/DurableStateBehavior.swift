/// What an entity does with a command: the part that a user writes.
///
/// A behavior is pure: it looks at a command and a state and says what should happen. It may be asked again with the same
/// command and a newer state when another process wrote first, so it must do nothing itself.
///
/// ```swift
/// struct BankAccount: DurableStateBehavior {
///     struct State: Codable, Sendable { var balance = 0 }
///     enum Command: Sendable { case deposit(Int), withdraw(Int) }
///     enum Rejection: Error { case insufficientFunds(short: Int) }
///
///     let initialState = State()
///
///     func handle(_ command: Command, in state: State) throws(Rejection) -> Effect<State> {
///         switch command {
///         case .deposit(let amount):
///             return .persist(State(balance: state.balance + amount))
///         case .withdraw(let amount):
///             guard amount <= state.balance else { throw .insufficientFunds(short: amount - state.balance) }
///             return .persist(State(balance: state.balance - amount))
///         }
///     }
/// }
/// ```
public protocol DurableStateBehavior: Sendable {
    /// What is stored: a `Codable` type, a protobuf message, or anything with a ``codec`` of its own.
    associatedtype State: Sendable
    /// What an entity can be told.
    associatedtype Command: Sendable
    /// What it answers besides its state; nothing unless ``handle(_:in:)`` says so.
    associatedtype Reply: Sendable = Void
    /// Why it refuses a command. `any Error` where ``handle(_:in:)`` throws without naming a type, `Never` where it does not throw.
    associatedtype Rejection: Error

    /// The state of an entity of which nothing is stored.
    var initialState: State { get }

    /// Turns states into bytes and back. An engine asks for it once, of the first instance.
    ///
    /// JSON for `Codable` states and eGo's layout for protobuf messages, unless the behavior says otherwise.
    var codec: any StateCodec<State> { get }

    /// Says what `command` does to `state`.
    ///
    /// - Returns: what should happen to the state, and the answer.
    /// - Throws: the refusal; then nothing changes, in memory or on disk.
    func handle(_ command: Command, in state: State) throws(Rejection) -> ReplyEffect<State, Reply>
}
