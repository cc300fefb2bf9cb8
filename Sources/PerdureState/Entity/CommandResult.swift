/// What an entity answers to a command that it carried out.
public struct CommandResult<Behavior: DurableStateBehavior>: Sendable {
    /// The state after the command; the initial state where the command deleted it.
    public let state: Behavior.State
    /// The version after the command: one more than before if it changed anything. 0 where nothing was ever stored.
    public let version: UInt64
    /// The behavior's answer.
    public let reply: Behavior.Reply

    @usableFromInline
    init(state: Behavior.State, version: UInt64, reply: Behavior.Reply) {
        self.state = state
        self.version = version
        self.reply = reply
    }
}
