import PerdureTestKit
import Testing

@testable import PerdureState

/// What becomes of a command: storing before installing before answering, one at a time, effects and errors.
@Suite struct CommandTests {
    // MARK: Persist, install, reply

    @Test func nothingIsSeenBeforeItIsStored() async throws {
        let store = testStore(FaultPlan().with(.hold, at: .write(number: 1)))
        let publisher = ListPublisher()
        let engine = bank(store, publishers: [publisher])
        var changes = engine.changes(of: Account.self).makeAsyncIterator()
        let ada = engine.entity(Account.self, "ada")
        let deposit = ada.begin(.deposit(10, token: 1))
        try await store.waitForHeld()
        // The write is on its way: nobody knows of it.
        guard case .current(let state, let version, let exists) = (ada.turn as? LiveEntity<Account>)?.memory else {
            Issue.record("it was read")
            return
        }
        #expect(state == Account.State() && version == 0 && !exists)
        #expect(publisher.changes.isEmpty)
        let reader = await ada.line(up: .read)
        #expect(try await store.wrapped.account("ada") == nil)
        store.releaseHeld()
        #expect(await deposit.value == nil)
        #expect(await reader.value == nil)
        #expect(try await store.wrapped.account("ada") == Account.State(balance: 10, tokens: [1]))
        #expect(await changes.next()?.state?.balance == 10)
        try await engine.stop()
        #expect(publisher.changes.map(\.version) == [1])
    }

    @Test func refusedAndFailedCommandsChangeNothing() async throws {
        let store = testStore(FaultPlan().with(.refuse(.unavailable), at: .write(number: 2)))
        let engine = bank(store)
        let ada = engine.entity(Account.self, "ada")
        try await ada.send(.deposit(10, token: 1))
        let refused = await ada.failure(of: .withdraw(11, token: 2))
        guard case .rejected(.insufficientFunds(balance: 10))? = refused else {
            Issue.record("refused with \(String(describing: refused))")
            return
        }
        let failed = await ada.failure(of: .deposit(5, token: 3))
        #expect(failed?.storeError?.code == .unavailable)
        #expect(failed?.outcome == .notApplied)
        let result = try await ada.send(.read)
        #expect(result.state == Account.State(balance: 10, tokens: [1]))
        #expect(result.version == 1)
        #expect(try await store.wrapped.account("ada") == result.state)
        #expect(store.count(.read) == 1, "memory was right all the time")
    }

    // MARK: One at a time

    /// Two withdraw everything at the same time: with an actor both would see the balance before either is stored.
    @Test func noMoneyIsWithdrawnTwice() async throws {
        let store = testStore(FaultPlan().with(.hold, at: .write(number: 2)))
        let ada = bank(store).entity(Account.self, "ada")
        try await ada.send(.deposit(100, token: 1))
        let first = ada.begin(.withdraw(100, token: 2))
        try await store.waitForHeld()
        let second = await ada.line(up: .withdraw(100, token: 3))
        store.releaseHeld()
        #expect(await first.value == nil)
        guard case .rejected(.insufficientFunds(balance: 0))? = await second.value else {
            Issue.record("withdrawn twice")
            return
        }
        #expect(try await store.wrapped.account("ada")?.balance == 0)
    }

    @Test func inTheOrderOfArrival() async throws {
        let store = testStore(FaultPlan().with(.hold, at: .write(number: 1)))
        let ada = bank(store).entity(Account.self, "ada")
        let first = ada.begin(.deposit(1, token: 0))
        try await store.waitForHeld()
        var others: [Task<CommandError<Account.Rejection>?, Never>] = []
        for token in 1...50 { others.append(await ada.line(up: .deposit(1, token: token))) }
        store.releaseHeld()
        for task in [first] + others { #expect(await task.value == nil) }
        #expect(try await store.wrapped.account("ada")?.tokens == Array(0...50))
    }

    @Test func manySendersKeepTheirOrder() async throws {
        let store = InMemoryStateStore()
        let engine = bank(store)
        let versions = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for sender in 0..<64 {
                group.addTask {
                    let entity = engine.entity(Account.self, "shared")
                    var versions: [UInt64] = []
                    for number in 0..<8 {
                        versions.append(try await entity.send(.deposit(1, token: sender * 100 + number)).version)
                    }
                    return versions
                }
            }
            return try await group.reduce(into: [[UInt64]]()) { $0.append($1) }
        }
        for versions in versions { #expect(versions == versions.sorted()) }
        #expect(versions.flatMap { $0 }.sorted() == Array(1...512))
        let account = try #require(try await store.account("shared"))
        #expect(account.balance == 512)
        for sender in 0..<64 {
            #expect(account.tokens.filter { $0 / 100 == sender } == (0..<8).map { sender * 100 + $0 })
        }
    }

    // MARK: Effects

    @Test func effectsAndTheirReplies() async throws {
        let store = testStore()
        let ada = bank(store).entity(Account.self, "ada")
        let nothing = try await ada.send(.read)
        #expect(nothing.version == 0 && nothing.state == Account.State() && nothing.reply == 0)
        let deposit = try await ada.send(.deposit(10, token: 1))
        #expect(deposit.version == 1 && deposit.state.balance == 10 && deposit.reply == 0)
        let withdrawal = try await ada.send(.withdraw(4, token: 2))
        #expect(withdrawal.version == 2 && withdrawal.state.balance == 6 && withdrawal.reply == 10)
        let read = try await ada.send(.read)
        #expect(read.version == 2 && read.reply == 6)
        let deletion = try await ada.send(.delete)
        #expect(deletion.version == 3 && deletion.state == Account.State() && deletion.reply == 6)
        #expect(try await store.wrapped.latestState(of: "ada") == nil)
        let again = try await ada.send(.delete)
        #expect(again.version == 3 && again.reply == 0)
        #expect(store.count(.delete) == 1, "there was nothing to delete")
        #expect(try await ada.send(.deposit(1, token: 3)).version == 4)
        #expect(store.count(.write) == 3)
        #expect(store.count(.read) == 1)
    }

    /// An engine that knows nothing of the deletion learns of the tombstone when it writes.
    @Test func aSecondLifeGoesOnCounting() async throws {
        let store = testStore()
        let first = bank(store).entity(Account.self, "ada")
        try await first.send(.deposit(1, token: 1))
        try await first.send(.delete)
        let ada = bank(store).entity(Account.self, "ada")
        #expect(try await ada.send(.read).version == 0)
        #expect(try await ada.send(.deposit(1, token: 2)).version == 3)
        #expect(try await ada.send(.delete).version == 4)
        await ada.passivate()
        let result = try await ada.send(.deposit(7, token: 3))
        #expect(result.version == 5 && result.state == Account.State(balance: 7, tokens: [3]))
    }

    @Test func theRowSaysWhenAndInWhichShard() async throws {
        let store = InMemoryStateStore()
        let engine = bank(store) { configuration in
            configuration.clock = ManualClock(unixMilliseconds: 1_234)
            configuration.shardCount = 16
        }
        try await engine.entity(Account.self, "ada").send(.deposit(1, token: 1))
        let row = try #require(try await store.latestState(of: "ada"))
        #expect(row.timestamp == 1_234)
        #expect(row.shard == PersistenceID.shard(of: "ada", among: 16))
    }

    // MARK: Errors

    private struct Oops: Error {}

    private struct Moody: DurableStateBehavior {
        let initialState = 0
        func handle(_ command: Int, in state: Int) throws -> Effect<Int> {
            if command < 0 { throw Oops() }
            return .persist(state + command)
        }
    }

    @Test func aHandlerMayThrowAnything() async throws {
        let engine = StateEngine(store: InMemoryStateStore()) { Moody() }
        let entity = engine.entity(Moody.self, "x")
        var caught: (any Error)?
        do {
            try await entity.send(-1)
        } catch {
            caught = error
        }
        guard case .rejected(let oops)? = caught as? CommandError<any Error> else {
            Issue.record("it should be refused")
            return
        }
        #expect(oops is Oops)
        #expect(try await entity.send(2).state == 2)
    }

    private struct Unencodable: DurableStateBehavior {
        struct Codec: StateCodec {
            func encode(_ state: Int) throws -> StatePayload {
                if state > 1 { throw Oops() }
                return StatePayload(manifest: "m", bytes: [UInt8(state)])
            }
            func decode(_ payload: StatePayload) throws -> Int { Int(payload.bytes[0]) }
        }
        let initialState = 0
        var codec: any StateCodec<Int> { Codec() }
        func handle(_ command: Int, in state: Int) -> Effect<Int> { command == 0 ? .none : .persist(state + command) }
    }

    @Test func whatCannotBeEncodedIsNotStored() async throws {
        let store = testStore()
        let entity = StateEngine(store: store) { Unencodable() }.entity(Unencodable.self, "x")
        try await entity.send(1)
        var caught: StoreError?
        do {
            try await entity.send(1)
        } catch {
            caught = error.storeError
        }
        #expect(caught?.code == .undecodable && caught?.operation == .write && caught?.outcome == .notApplied)
        #expect(caught?.underlying is Oops)
        #expect(try await entity.send(0).state == 1)
        #expect(store.count(.write) == 1)
    }

    @Test func whatCannotBeDecodedIsAnErrorAndStays() async throws {
        let store = testStore()
        let bad = DurableState(
            persistenceID: "ada", version: 7, payload: StatePayload(manifest: "other", bytes: [1, 2]))
        try await store.wrapped.write(bad, if: .always)
        let ada = bank(store).entity(Account.self, "ada")
        for _ in 0..<2 {
            let error = await ada.failure(of: .deposit(1, token: 1))?.storeError
            #expect(error?.code == .undecodable && error?.persistenceID == "ada")
            #expect(error?.message.contains("other") == true)
        }
        #expect(try await store.wrapped.latestState(of: "ada") == bad)
        // Once it is repaired, the entity goes on.
        try await store.wrapped.write(
            DurableState(account: "ada", version: 8, Account.State(balance: 3)), if: .version(7))
        #expect(try await ada.send(.deposit(1, token: 2)).version == 9)
    }

    /// A store of somebody else's with a row that no version can follow: an error, no trap.
    private struct LastVersion: StateStore {
        let maximumPayloadByteCount = 100
        func connect() async throws(StoreError) {}
        func disconnect() async {}
        func ping() async throws(StoreError) {}
        func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {}
        func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {}
        func latestState(of id: String) async throws(StoreError) -> DurableState? {
            DurableState(
                persistenceID: id, version: .max,
                payload: StatePayload(manifest: "account", bytes: Array(repeating: 0, count: 8)))
        }
    }

    @Test func theLastOfAllVersionsIsAnError() async {
        let ada = bank(LastVersion()).entity(Account.self, "ada")
        #expect(await ada.failure(of: .deposit(1, token: 1))?.storeError?.code == .corrupted)
    }

    @Test func idsThatBreakTheRuleAreRefused() async {
        let nameless = bank(InMemoryStateStore()).entity(Account.self, "")
        #expect(await nameless.failure(of: .read)?.storeError?.code == .invalidRequest)
    }

    // MARK: Too many, and cancelled ones

    @Test(arguments: [0, 1, 5]) func exactlySoManyMayWait(limit: Int) async throws {
        let store = testStore(FaultPlan().with(.hold, at: .write(number: 1)))
        let ada = bank(store) { $0.maximumWaitingCommands = limit }.entity(Account.self, "ada")
        let first = ada.begin(.deposit(1, token: 0))
        try await store.waitForHeld()
        var waiting: [Task<CommandError<Account.Rejection>?, Never>] = []
        for token in 0..<limit { waiting.append(await ada.line(up: .deposit(1, token: 1 + token))) }
        for _ in 0..<3 { #expect(await ada.failure(of: .deposit(1, token: 99))?.isOverloaded == true) }
        store.releaseHeld()
        for task in [first] + waiting { #expect(await task.value == nil) }
        #expect(try await store.wrapped.account("ada")?.tokens == Array(0...limit))
        #expect(await ada.failure(of: .read) == nil)
    }

    @Test func whoIsCancelledInTheLineLeavesIt() async throws {
        let store = testStore(FaultPlan().with(.hold, at: .write(number: 1)))
        let ada = bank(store) { $0.maximumWaitingCommands = 2 }.entity(Account.self, "ada")
        let first = ada.begin(.deposit(1, token: 1))
        try await store.waitForHeld()
        let second = await ada.line(up: .deposit(1, token: 2))
        let third = await ada.line(up: .deposit(1, token: 3))
        second.cancel()
        #expect(await second.value?.isCancelled == true)
        let fourth = await ada.line(up: .deposit(1, token: 4))
        store.releaseHeld()
        for task in [first, third, fourth] { #expect(await task.value == nil) }
        #expect(try await store.wrapped.account("ada")?.tokens == [1, 3, 4])
    }

    @Test func whoIsCancelledBeforehandDoesNothing() async throws {
        let store = testStore()
        let ada = bank(store).entity(Account.self, "ada")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await ada.failure(of: .deposit(1, token: 1))
        }
        #expect(await task.value?.isCancelled == true)
        #expect(store.trace.isEmpty)
    }

    /// A store refuses to begin for a cancelled task: that is a cancellation, no failure of the store.
    @Test(arguments: [FaultPlan.Match.read(), .write()])
    func whoIsCancelledBeforeTheStoreBegan(match: FaultPlan.Match) async throws {
        let store = testStore(FaultPlan().with(.hold, at: match))
        let ada = bank(store).entity(Account.self, "ada")
        let task = ada.begin(.deposit(1, token: 1))
        try await store.waitForHeld()
        task.cancel()
        #expect(await task.value?.isCancelled == true)
        #expect(try await ada.send(.deposit(2, token: 2)).state.tokens == [2])
    }
}
