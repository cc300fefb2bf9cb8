import PerdureConcurrency
import PerdureTestKit
import Testing
import Waiting

@testable import PerdureState

@Suite struct PublisherTests {
    /// Refuses as often as told before it takes anything.
    private final class Reluctant: StatePublisher {
        let name = "reluctant"
        private struct Refusal: Error {}
        private let state: LockedState<(refusals: Int, taken: [UInt64], closed: Int)>
        init(refusals: Int) { self.state = LockedState((refusals, [], 0)) }

        func publish(_ change: StateChange) async throws {
            try self.state.withLock { state throws(Refusal) in
                state.refusals -= 1
                if state.refusals >= 0 { throw Refusal() }
                state.taken.append(change.version)
            }
        }
        func close() async { self.state.withLock { $0.closed += 1 } }
        var taken: [UInt64] { self.state.withLock { $0.taken } }
        var closed: Int { self.state.withLock { $0.closed } }
    }

    /// Never comes back, not even when cancelled, until it is let go.
    private final class Stuck: StatePublisher {
        let name = "stuck"
        private let buffer = BoundedBuffer<Int>(capacity: 1)
        private let started = BoundedBuffer<Int>(capacity: 1)
        private let closings = LockedState(0)

        func publish(_ change: StateChange) async throws {
            self.started.push(1)
            await Task { [buffer = self.buffer] in _ = await buffer.next() }.value
        }
        func close() async { self.closings.withLock { $0 += 1 } }
        func waitUntilStuck() async { _ = await self.started.next() }
        func letGo() { self.buffer.finish() }
        var closed: Int { self.closings.withLock { $0 } }
    }

    @Test func eachEntitysInOrder() async throws {
        let publishers = [ListPublisher(), ListPublisher()]
        let engine = bank(InMemoryStateStore(), publishers: publishers)
        let running = Task { try await engine.run() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in 0..<8 {
                group.addTask {
                    let entity = engine.entity(Account.self, "\(id)")
                    for token in 0..<40 { try await entity.send(.deposit(1, token: token % 3)) }
                    try await entity.send(.delete)
                }
            }
            try await group.waitForAll()
        }
        running.cancel()
        try await running.value
        for publisher in publishers {
            #expect(publisher.closed == 1)
            for id in 0..<8 {
                let versions = publisher.changes.filter { $0.persistenceID == "\(id)" }.map(\.version)
                #expect(versions == Array(1...41))
            }
            guard case .deleted? = publisher.changes.last(where: { $0.persistenceID == "3" }) else {
                Issue.record("a deletion is a change")
                return
            }
        }
    }

    @Test func whatWasNotTakenIsOfferedAgain() async throws {
        let clock = ManualClock()
        let observer = RecordingObserver()
        let publisher = Reluctant(refusals: 2)
        let engine = bank(InMemoryStateStore(), publishers: [publisher]) { configuration in
            configuration.clock = clock
            configuration.observer = observer
        }
        let running = Task { try await engine.run() }
        let ada = engine.entity(Account.self, "ada")
        try await ada.send(.deposit(1, token: 1))
        try await ada.send(.deposit(1, token: 2))
        try await clock.waitForSleepers(2)
        #expect(publisher.taken.isEmpty)
        clock.advance(by: .milliseconds(100))
        try await clock.waitForSleepers(2)
        #expect(observer.events(named: "entity.publish.failed").count == 2)
        clock.advance(by: .milliseconds(200))
        #expect(await eventually { publisher.taken == [1, 2] })
        running.cancel()
        try await running.value
        #expect(publisher.closed == 1)
    }

    @Test func aFullBufferRefusesBeforeAnythingIsWritten() async throws {
        let store = testStore()
        let publisher = ListPublisher()
        let engine = bank(store, publishers: [ListPublisher(), publisher]) { $0.publisherBuffer = 2 }
        let ada = engine.entity(Account.self, "ada")
        try await ada.send(.deposit(1, token: 1))
        try await ada.send(.deposit(1, token: 2))
        let error = await ada.failure(of: .deposit(1, token: 3))
        guard case .overloaded(let reason)? = error else {
            Issue.record("failed as \(String(describing: error))")
            return
        }
        #expect(reason.contains("list"))
        #expect(store.count(.write) == 2)
        #expect(try await ada.send(.read).version == 2, "answers that write nothing need no room")
        try await engine.stop()
        #expect(publisher.changes.map(\.version) == [1, 2])
    }

    /// Whatever becomes of a write, its place is given up once and not twice.
    @Test func placesNeitherLeakNorMultiply() async throws {
        let store = testStore()
        let clock = ManualClock()
        let publisher = ListPublisher()
        let engine = bank(store, publishers: [publisher]) { configuration in
            configuration.publisherBuffer = 2
            configuration.clock = clock
            configuration.maximumConflicts = 1
        }
        let ada = engine.entity(Account.self, "ada")
        try await ada.send(.deposit(5, token: 1))
        for fault: Fault in [.refuse(.unavailable), .loseRequest, .foreignWrite, .refuse(.throttled)] {
            store.plan = FaultPlan().with(fault, at: .write())
            #expect(await ada.failure(of: .deposit(1, token: 2)) != nil)
        }
        store.plan = FaultPlan().with(.refuse(.unavailable), at: .delete())
        #expect(await ada.failure(of: .delete) != nil)
        // Late before it writes.
        store.plan = FaultPlan().with(.hold, at: .read())
        await ada.passivate()
        let late = Task { await ada.failure(of: .deposit(1, token: 3), within: .seconds(1)) }
        try await store.waitForHeld()
        try await clock.waitForSleepers()
        clock.advance(by: .seconds(1))
        #expect(await late.value?.missedDeadline == .notApplied)
        store.releaseHeld()
        // One place is taken, one is free.
        try await ada.send(.deposit(1, token: 4))
        #expect(await ada.failure(of: .deposit(1, token: 5))?.isOverloaded == true)
        #expect(await ada.failure(of: .deposit(1, token: 6), within: .seconds(1))?.isOverloaded == true)
        #expect(await ada.failure(of: .deposit(1, token: 7))?.isOverloaded == true)
        try await engine.stop()
        #expect(publisher.changes.count == 2)
    }

    @Test func whoNeverTakesIsGivenUpInTime() async throws {
        let clock = ManualClock()
        let stuck = Stuck()
        let engine = bank(InMemoryStateStore(), publishers: [stuck]) { $0.clock = clock }
        let ada = engine.entity(Account.self, "ada")
        for token in 1...3 { try await ada.send(.deposit(1, token: token)) }
        let stopping = Task { try await engine.stop() }
        await stuck.waitUntilStuck()
        try await clock.waitForSleepers()
        clock.advance(by: engine.configuration.drainTimeout)
        do {
            try await stopping.value
            Issue.record("three changes were not taken")
        } catch let error as StateEngine.StopIncomplete {
            #expect(error.undeliveredChanges == 3, "the one under way included")
            #expect(error.liveEntities == 0)
        }
        #expect(stuck.closed == 0)
        stuck.letGo()
        #expect(await eventually { stuck.closed == 1 })
    }

    /// Once a change was given up, those behind it are not handed on either: a publisher never sees a gap it cannot know of.
    @Test func whoAlwaysFailsIsGivenUpInTime() async throws {
        let clock = ManualClock()
        let publisher = Reluctant(refusals: 2)
        let engine = bank(InMemoryStateStore(), publishers: [publisher]) { $0.clock = clock }
        let ada = engine.entity(Account.self, "ada")
        for token in 1...5 { try await ada.send(.deposit(1, token: token)) }
        // It fails once, and once again when the time is over.
        let stopping = Task { try await engine.stop() }
        try await clock.waitForSleepers(2)
        clock.advance(by: .milliseconds(100))
        try await clock.waitForSleepers(2)
        // The time is over during the second pause.
        let error = await Self.cutOff(stopping, clock, engine.configuration.drainTimeout)
        #expect((error?.undeliveredChanges ?? 0) + publisher.taken.count >= 5)
        #expect(publisher.taken == Array(1..<UInt64(publisher.taken.count + 1)))
        #expect(await eventually { publisher.closed == 1 })
    }

    private static func cutOff(
        _ stopping: Task<Void, any Error>, _ clock: ManualClock, _ timeout: Duration
    ) async -> StateEngine.StopIncomplete? {
        clock.advance(by: timeout)
        do {
            try await stopping.value
            return nil
        } catch {
            return error as? StateEngine.StopIncomplete
        }
    }
}
