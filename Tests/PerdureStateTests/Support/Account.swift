import PerdureState

/// A bank account that remembers, in order, the tokens of the commands that changed it: what happened can be read off any state.
struct Account: DurableStateBehavior {
    struct State: Sendable, Hashable {
        var balance = 0
        var tokens: [Int] = []
    }

    enum Command: Sendable, Hashable {
        case deposit(Int, token: Int)
        case withdraw(Int, token: Int)
        case read
        case delete
    }

    enum Rejection: Error, Hashable {
        case insufficientFunds(balance: Int)
    }

    let initialState = State()
    var codec: any StateCodec<State> { AccountCodec() }

    func handle(_ command: Command, in state: State) throws(Rejection) -> ReplyEffect<State, Int> {
        switch command {
        case .deposit(let amount, let token):
            return .persist(
                State(balance: state.balance + amount, tokens: state.tokens + [token]), reply: state.balance)
        case .withdraw(let amount, let token):
            guard amount <= state.balance else { throw .insufficientFunds(balance: state.balance) }
            return .persist(
                State(balance: state.balance - amount, tokens: state.tokens + [token]), reply: state.balance)
        case .read:
            return .none(reply: state.balance)
        case .delete:
            return .delete(reply: state.balance)
        }
    }
}

/// The numbers of an account in eight bytes each.
struct AccountCodec: StateCodec {
    struct Unreadable: Error {}

    func encode(_ state: Account.State) throws -> StatePayload {
        var bytes: [UInt8] = []
        for number in [state.balance] + state.tokens {
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
        }
        return StatePayload(manifest: "account", bytes: bytes)
    }

    func decode(_ payload: StatePayload) throws -> Account.State {
        guard payload.manifest == "account", payload.bytes.count >= 8, payload.bytes.count % 8 == 0 else {
            throw Unreadable()
        }
        let numbers = stride(from: 0, to: payload.bytes.count, by: 8).map { start in
            (0..<8).reduce(0) { $0 | Int(payload.bytes[start + $1]) << (8 * $1) }
        }
        return Account.State(balance: numbers[0], tokens: Array(numbers.dropFirst()))
    }
}

extension DurableState {
    /// A stored account.
    init(account id: String, version: UInt64, _ state: Account.State) throws {
        self.init(persistenceID: id, version: version, payload: try AccountCodec().encode(state))
    }

    var account: Account.State {
        get throws { try AccountCodec().decode(self.payload) }
    }
}

extension InMemoryStateStore {
    /// What is stored under an ID, as an account.
    func account(_ id: String) async throws -> Account.State? { try await self.latestState(of: id)?.account }
}

/// An engine for accounts.
func bank(
    _ store: any StateStore, publishers: [any StatePublisher] = [],
    _ configure: (inout StateEngine.Configuration) -> Void = { _ in }
) -> StateEngine {
    var configuration = StateEngine.Configuration()
    // On the clock of a busy machine, which sanitizers slow down as well.
    configuration.drainTimeout = .seconds(300)
    configure(&configuration)
    return StateEngine(store: store, configuration: configuration, publishers: publishers) { Account() }
}

/// What a command came to, or why it failed.
func outcome(
    _ send: () async throws(CommandError<Account.Rejection>) -> CommandResult<Account>
) async -> Result<CommandResult<Account>, CommandError<Account.Rejection>> {
    do throws(CommandError<Account.Rejection>) {
        return .success(try await send())
    } catch {
        return .failure(error)
    }
}

/// Why a command failed; nil when it did not.
func reason(
    _ send: () async throws(CommandError<Account.Rejection>) -> CommandResult<Account>
) async -> CommandError<Account.Rejection>? {
    if case .failure(let error) = await outcome(send) { return error }
    return nil
}
