struct Account: DurableStateBehavior {
    enum Command: Sendable { case credit(Int) }
    let initialState = 0
    func handle(_ command: Command, in state: Int) -> Effect<Int> { .none }
}
let account = StateEngine(store: store) { Account() }.entity(Account.self, "ada")
