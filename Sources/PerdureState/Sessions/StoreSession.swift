/// What is open while a store is connected.
package protocol StoreSession: AnyObject, Sendable {
    var use: SessionUse { get }

    /// Closes the connections; nothing is under way any more.
    func end() async
}

extension StoreSession {
    /// One more operation is under way; false when the session is closed.
    package func enter() -> Bool { self.use.enter() }

    /// One fewer.
    package func leave() { self.use.leave() }

    /// Lets nothing in any more, waits for what is under way, and closes the connections.
    package func close() async {
        await self.use.close()
        await self.end()
    }
}
