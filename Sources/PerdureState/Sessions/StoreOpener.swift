package import PerdureConcurrency
package import PerdureModel

/// Opens a store's session at its first use, once for all who ask at the time, and closes it.
package final class StoreOpener<Session: StoreSession>: Sendable {
    private typealias Opening = Task<Result<Session, StoreError>, Never>

    private enum Phase {
        case idle
        case open(Session)
        case closed
    }

    private struct State {
        var phase = Phase.idle
        var opening: Opening?
        /// Counts closings: what began to open before one is not used after it.
        var generation = 0
    }

    private enum Next { case use(Session), wait(Opening), closed }

    /// Runs tasks on the thread of the session that is open.
    package let tasks = StoreExecutor()
    private let name: String
    private let observer: (any EventObserver)?
    private let make: @Sendable (StoreExecutor) async -> Result<Session, StoreError>
    private let state = LockedState(State())

    /// Makes one; opens nothing.
    ///
    /// - Parameters:
    ///   - name: what events call the store.
    ///   - observer: hears of each session that is opened and closed.
    ///   - make: opens a session, whose thread it lends to the executor.
    package init(
        _ name: String, observer: (any EventObserver)?,
        make: @escaping @Sendable (StoreExecutor) async -> Result<Session, StoreError>
    ) {
        self.name = name
        self.observer = observer
        self.make = make
    }

    /// The session to work with, told that an operation more is under way; the caller makes it ``StoreSession/leave()``.
    ///
    /// A store that was disconnected opens again where `reopens` says so. Where `heedsCancellation` is false the operation begins also
    /// for a caller who is cancelled already.
    package func enter(
        _ operation: StoreError.Operation, _ id: String? = nil, reopens: Bool = false, heedsCancellation: Bool = true
    ) async throws(StoreError) -> Session {
        if heedsCancellation { try StoreError.checkNotCancelled(operation, id) }
        // Bounded, should others connect and disconnect all the time.
        for _ in 0..<1_000 {
            switch self.next(reopens: reopens) {
            case .use(let session):
                if session.enter() { return session }
            case .wait(let opening):
                do throws(StoreError) { _ = try await opening.value.get() } catch {
                    throw error.with(operation: operation, persistenceID: id)
                }
            case .closed:
                throw .disconnected(operation, id)
            }
        }
        throw StoreError(
            .closed, operation: operation, persistenceID: id, message: "the store is being disconnected again and again"
        )
    }

    private func next(reopens: Bool) -> Next {
        self.state.withLock { state in
            switch state.phase {
            case .open(let session): return .use(session)
            case .closed:
                guard reopens else { return .closed }
                state.phase = .idle
            case .idle: break
            }
            let generation = state.generation
            let opening = state.opening ?? Task.detached { await self.open(generation) }
            state.opening = opening
            return .wait(opening)
        }
    }

    private func open(_ generation: Int) async -> Result<Session, StoreError> {
        let result = await self.make(self.tasks)
        let isWanted = self.state.withLock { state in
            state.opening = nil
            guard case .success(let session) = result, case .idle = state.phase, state.generation == generation else {
                return false
            }
            state.phase = .open(session)
            return true
        }
        if isWanted {
            self.observer?.observe(.storeConnected(store: self.name))
        } else if case .success(let session) = result {
            await session.close()
        }
        return result
    }

    /// Lets nothing in any more, waits for what is under way, and closes the connections. Idempotent.
    package func disconnect() async { await self.close(as: .closed) }

    /// Closes what is open, so that the next who asks opens anew; a store that was disconnected stays so.
    package func reset() async {
        if self.state.withLock({ if case .closed = $0.phase { false } else { true } }) { await self.close(as: .idle) }
    }

    private func close(as next: Phase) async {
        let (session, opening) = self.state.withLock { state -> (Session?, Opening?) in
            let phase = state.phase
            state.phase = next
            state.generation += 1
            if case .open(let session) = phase { return (session, nil) }
            return (nil, state.opening)
        }
        if let session {
            await session.close()
            self.observer?.observe(.storeDisconnected(store: self.name))
        }
        // Whoever opens meanwhile finds the store closed, and closes what it has opened.
        _ = await opening?.value
    }
}
