import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import Testing
import Waiting

@testable import PerdureState

/// The one way in to stores that must connect first: opened once, closed once, never while somebody works with it.
@Suite("Opening a store", .timeLimit(.minutes(5)))
struct StoreOpenerTests {
    private final class Session: StoreSession {
        let use = SessionUse()
        let number: Int
        private let events: Tally

        init(_ number: Int, _ events: Tally) {
            self.number = number
            self.events = events
        }

        func end() async { self.events.add("end \(self.number)") }
    }

    private final class Tally: EventObserver {
        private let lines = LockedState<[String]>([])

        var all: [String] { self.lines.withLock { $0 } }
        func add(_ line: String) { self.lines.withLock { $0.append(line) } }
        func observe(_ event: PerdureEvent) { self.add(event.name) }
    }

    /// Sessions that are made when the test says so.
    private final class Maker: Sendable {
        let tally = Tally()
        private let state = LockedState((begun: 0, waiting: [CheckedContinuation<Void, Never>](), holds: false))
        private let failure = LockedState<StoreError?>(nil)

        var begun: Int { self.state.withLock { $0.begun } }

        func fail(with error: StoreError?) { self.failure.withLock { $0 = error } }
        func hold() { self.state.withLock { $0.holds = true } }

        func release() {
            let waiting = self.state.withLock { state in
                defer { state.waiting = [] }
                state.holds = false
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }

        func make() async -> Result<Session, StoreError> {
            let number = self.state.withLock { state in
                state.begun += 1
                return state.begun
            }
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let goesOn = self.state.withLock { state in
                    if state.holds { state.waiting.append(continuation) }
                    return !state.holds
                }
                if goesOn { continuation.resume() }
            }
            if let error = self.failure.withLock({ $0 }) { return .failure(error) }
            self.tally.add("make \(number)")
            return .success(Session(number, self.tally))
        }

        func opener() -> StoreOpener<Session> {
            StoreOpener("test", observer: self.tally) { _ in await self.make() }
        }
    }

    private func failure(_ body: () async throws(StoreError) -> Void) async -> StoreError? {
        do throws(StoreError) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    @Test("happens once for all who ask at the time") func once() async throws {
        let maker = Maker()
        let opener = maker.opener()
        maker.hold()
        let callers = (0..<20).map { _ in Task { try await opener.enter(.read).number } }
        #expect(await eventually { maker.begun > 0 })
        maker.release()
        for caller in callers { #expect(try await caller.value == 1) }
        #expect(maker.begun == 1)
        #expect(maker.tally.all == ["make 1", "store.connected"])
    }

    @Test("that fails is told to each with its own operation, and tried again by the next") func failing() async throws
    {
        let maker = Maker()
        let opener = maker.opener()
        maker.fail(with: StoreError(.unavailable, operation: .connect, message: "nobody there"))
        let error = await self.failure { () async throws(StoreError) in _ = try await opener.enter(.write, "ada") }
        #expect(error?.code == .unavailable && error?.operation == .write && error?.persistenceID == "ada")
        maker.fail(with: nil)
        #expect(try await opener.enter(.read).number == 2)
        #expect(maker.tally.all == ["make 2", "store.connected"])
    }

    @Test("ends only when nothing is under way, for all who close at the time") func closing() async throws {
        let maker = Maker()
        let opener = maker.opener()
        let session = try await opener.enter(.read)
        let closed = Tally()
        let closers = (0..<3).map { number in
            Task {
                await session.close()
                closed.add("\(number)")
            }
        }
        let disconnecting = Task { await opener.disconnect() }
        let isClosing = await eventually {
            guard session.enter() else { return true }
            session.leave()
            return false
        }
        #expect(isClosing)
        #expect(closed.all.isEmpty && !maker.tally.all.contains("end 1"))
        session.leave()
        await disconnecting.value
        for closer in closers { await closer.value }
        #expect(closed.all.count == 3)
        #expect(maker.tally.all.last == "store.disconnected" || maker.tally.all.last == "end 1")
    }

    @Test("is refused after disconnecting, until somebody connects") func disconnected() async throws {
        let maker = Maker()
        let opener = maker.opener()
        try await opener.enter(.connect, reopens: true).leave()
        await opener.disconnect()
        await opener.disconnect()
        let error = await self.failure { () async throws(StoreError) in _ = try await opener.enter(.read, "ada") }
        #expect(error?.code == .closed && error?.outcome == .notApplied && error?.persistenceID == "ada")
        // Setting up closes what is open, and opens nothing that was closed.
        await opener.reset()
        #expect(
            await self.failure { () async throws(StoreError) in _ = try await opener.enter(.read) }?.code == .closed)
        #expect(try await opener.enter(.ping, reopens: true).number == 2)
        #expect(
            maker.tally.all == [
                "make 1", "store.connected", "end 1", "store.disconnected", "make 2", "store.connected",
            ])
    }

    @Test("that is overtaken by a closing is closed again, and not used") func overtaken() async throws {
        for isReset in [false, true] {
            let maker = Maker()
            let opener = maker.opener()
            maker.hold()
            let caller = Task {
                let session = try await opener.enter(.read, reopens: true)
                defer { session.leave() }
                return session.number
            }
            #expect(await eventually { maker.begun == 1 })
            let closing = Task { isReset ? await opener.reset() : await opener.disconnect() }
            // The closing waits for what opens; who opened opens once more then.
            await Task.yield()
            maker.release()
            await closing.value
            let number = try await caller.value
            #expect(maker.tally.all.contains("end 1") == (number == 2))
            await opener.disconnect()
        }
    }

    @Test("is anew after a reset, for what is set up may have changed") func reset() async throws {
        let maker = Maker()
        let opener = maker.opener()
        try await opener.enter(.read).leave()
        await opener.reset()
        #expect(try await opener.enter(.read).number == 2)
    }

    @Test("does not begin for callers who are cancelled, unless they ask for it") func cancelled() async throws {
        let maker = Maker()
        let opener = maker.opener()
        let caller = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await self.failure { () async throws(StoreError) in _ = try await opener.enter(.write, "ada") }
        }
        #expect(await caller.value?.code == .cancelled)
        #expect(maker.begun == 0)
        let other = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await opener.enter(.write, heedsCancellation: false).number
        }
        #expect(try await other.value == 1)
    }
}
