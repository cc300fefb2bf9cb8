import PerdureState

/// An aircraft with its logbook: the entity of this demo.
struct Aircraft: DurableStateBehavior {
    enum Command: Sendable {
        /// Counts a row of the file, unless it is counted already.
        case log(Flight)
        /// Only asks for the logbook.
        case look
    }

    enum Reply: Sendable, Equatable {
        /// The row is in the logbook now.
        case counted
        /// The row was in the logbook before.
        case countedBefore
        /// Here is the logbook.
        case unchanged
    }

    let initialState = Logbook()

    func handle(_ command: Command, in logbook: Logbook) -> ReplyEffect<Logbook, Reply> {
        switch command {
        case .look:
            .none(reply: .unchanged)
        case .log(let flight) where flight.line <= logbook.lastLine:
            .none(reply: .countedBefore)
        case .log(let flight):
            .persist(logbook.adding(flight), reply: .counted)
        }
    }
}
