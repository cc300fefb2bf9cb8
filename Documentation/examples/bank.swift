import PerdureSQLite

struct BankAccount: DurableStateBehavior {
    struct State: Codable, Sendable { var balance = 0 }
    enum Command: Sendable { case deposit(Int), withdraw(Int) }
    enum Rejection: Error { case insufficientFunds(short: Int) }
    let initialState = State()
    func handle(_ command: Command, in state: State) throws(Rejection) -> Effect<State> { .none }
}
