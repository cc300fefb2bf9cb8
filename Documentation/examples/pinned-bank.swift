// the example
extension BankAccount {
    struct State: Codable, Sendable { var balance = 0 }
    var initialState: State { State() }
    func handle(_ deposit: Int, in state: State) -> Effect<State> { .persist(State(balance: state.balance + deposit)) }
}
