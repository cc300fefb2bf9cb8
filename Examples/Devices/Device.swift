import PerdureSQLite

/// What a device sends now and then.
struct Reading: Codable, Sendable {
    /// Counts the device's readings; a reading that comes twice or too late is told by it.
    var number: Int
    var celsius: Double
    var battery: Int
}

/// A device: an entity that remembers the last that was heard of it.
struct Device: DurableStateBehavior {
    struct State: Codable, Sendable {
        var last: Reading?
        var count = 0
        var highest = -273.15

        var isHot: Bool { (self.last?.celsius ?? 0) > 80 }
    }

    enum Command: Sendable {
        case report(Reading)
        case look
    }

    enum Answer: Sendable {
        case stored
        case knownAlready
    }

    let initialState = State()

    func handle(_ command: Command, in state: State) -> ReplyEffect<State, Answer> {
        switch command {
        case .report(let reading):
            if let last = state.last, reading.number <= last.number { return .none(reply: .knownAlready) }
            let highest = max(state.highest, reading.celsius)
            return .persist(State(last: reading, count: state.count + 1, highest: highest), reply: .stored)
        case .look:
            return .none(reply: .knownAlready)
        }
    }
}
