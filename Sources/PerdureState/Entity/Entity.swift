/// An entity, to send commands to: the name of a behavior under a persistence ID.
///
/// A small value to pass around and keep; making one reads nothing. What is in memory comes and goes behind it: the first
/// command reads the state, and an idle entity leaves memory again.
///
/// Commands to one entity are carried out one at a time in the order of arrival, whoever sends them. When
/// ``send(_:)`` returns, the new state is on disk.
public struct Entity<Behavior: DurableStateBehavior>: Sendable {
    @usableFromInline let kind: EntityKind<Behavior>
    /// The entity in memory when this value was made: usually it still is, which saves looking it up.
    @usableFromInline let turn: EntityTurn

    init(kind: EntityKind<Behavior>, turn: EntityTurn) {
        self.kind = kind
        self.turn = turn
    }

    /// The persistence ID.
    public var id: String { self.turn.id }

    /// Carries out a command and returns the state that is now stored.
    ///
    /// Waits for the commands before it, loads the state if it is not in memory, asks the behavior, writes the new state and
    /// then installs it. Waits as long as the store takes, which has deadlines of its own, unless
    /// ``StateEngine/Configuration/commandTimeout`` says otherwise.
    ///
    /// Cancelling the calling task withdraws a command that still waits for its turn. Afterwards it goes on to its end, unless the
    /// store refuses to begin for a cancelled task.
    ///
    /// - Returns: the state, its version, and the behavior's reply.
    /// - Throws: a ``CommandError``; its ``CommandError/outcome`` says whether the change may have happened.
    @inlinable @discardableResult
    public func send(
        _ command: Behavior.Command
    ) async throws(CommandError<Behavior.Rejection>) -> CommandResult<Behavior> {
        if let timeout = self.kind.host.commandTimeout {
            return try await self.send(command, within: timeout)
        }
        return try await self.kind.perform(command, on: self.turn, progress: nil)
    }

    /// Leaves memory after the commands before it; the next command loads the state again.
    ///
    /// Writes nothing: whatever was accepted is stored already. Does nothing if the entity is not in memory.
    public func passivate() async {
        await self.kind.host.passivate(self.id)
    }
}
