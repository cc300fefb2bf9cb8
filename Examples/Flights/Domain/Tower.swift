import PerdureState

/// Counts radio calls while the feed is on hold, so that writes are under way whenever the process is killed.
struct Tower: DurableStateBehavior {
    struct State: Codable, Sendable {
        var calls = 0
    }

    enum Command: Sendable {
        case call
    }

    let initialState = State()

    func handle(_ command: Command, in state: State) -> Effect<State> {
        .persist(State(calls: state.calls + 1))
    }
}
