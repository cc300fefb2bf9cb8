/// Hands stored changes on to another system: a message broker, a search index, a log.
///
/// The engine keeps a bounded buffer for each publisher and hands it one change after the other, each entity's in the order of its
/// versions, after the change is on disk. A change that the publisher fails to take is offered again after a while, so it
/// may see a change twice. Changes that are still in the buffer when the process dies are not handed on: whoever must not miss any
/// also follows a store's ``StateChanges``.
public protocol StatePublisher: Sendable {
    /// Names the publisher in events and errors.
    var name: String { get }

    /// Hands on a change; returns once it was taken.
    ///
    /// - Throws: when it was not taken; it is offered again.
    func publish(_ change: StateChange) async throws

    /// Lets go of what it holds; called once, after the last change, when the engine stops.
    func close() async
}

extension StatePublisher {
    /// Does nothing.
    public func close() async {}
}
