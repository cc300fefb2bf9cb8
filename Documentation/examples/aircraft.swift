struct Aircraft: DurableStateBehavior {
    let tail: String
    let initialState = 0
    func handle(_ miles: Int, in state: Int) -> Effect<Int> { .persist(state + miles) }
}
