import PerdureSQLite

/// An account: an entity whose state is its money, and which bookings it has made already.
struct Account: DurableStateBehavior {
    struct State: Codable, Sendable {
        var isOpen = false
        var balance = 0
        /// The keys of all bookings, so that one that is sent again is not made again.
        var booked: Set<String> = []
    }

    enum Command: Sendable {
        case open(balance: Int)
        case close
        case deposit(Int, key: String)
        case withdraw(Int, key: String)
        case look
    }

    enum Rejection: Error, Equatable {
        case notOpen
        case insufficientFunds(short: Int)
    }

    let initialState = State()

    func handle(_ command: Command, in state: State) throws(Rejection) -> Effect<State> {
        var state = state
        switch command {
        case .open(let balance):
            guard !state.isOpen, state.booked.isEmpty else { return .none }
            state = State(isOpen: true, balance: balance, booked: ["opening"])
        case .close:
            guard state.isOpen else { return .none }
            state.isOpen = false
        case .deposit(let amount, let key):
            guard state.booked.insert(key).inserted else { return .none }
            guard state.isOpen else { throw .notOpen }
            state.balance += amount
        case .withdraw(let amount, let key):
            guard state.booked.insert(key).inserted else { return .none }
            guard state.isOpen else { throw .notOpen }
            guard amount <= state.balance else { throw .insufficientFunds(short: amount - state.balance) }
            state.balance -= amount
        case .look:
            return .none
        }
        return .persist(state)
    }
}
