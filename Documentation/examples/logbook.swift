import PerdureState

struct Flight: Sendable { var line = 0 }
struct Logbook: DurableStateBehavior {
    struct State: Codable, Sendable { var lastLine = 0 }
    enum Command: Sendable { case log(Flight), show }
    enum Reply: Sendable { case counted, countedBefore }
    let initialState = State()
    func handle(_ command: Command, in logbook: State) -> ReplyEffect<State, Reply> {
        switch command {
        case .show: return .none(reply: .counted)
        // the example
        case .log(let flight): return .persist(State(lastLine: flight.line), reply: .counted)
        }
    }
}
