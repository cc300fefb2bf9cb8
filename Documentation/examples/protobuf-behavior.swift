struct AccountBehavior: DurableStateBehavior {
    typealias State = Account
    // the example
    let initialState = Account()
    func handle(_ credit: Double, in account: Account) -> Effect<Account> { .none }
}
