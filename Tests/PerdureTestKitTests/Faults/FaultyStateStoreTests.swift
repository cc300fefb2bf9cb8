import PerdureTestKit
import Testing

@Suite(.timeLimit(.minutes(10))) struct FaultyStateStoreTests {
    let memory = InMemoryStateStore()

    func state(_ version: UInt64, _ id: String = "ada", _ text: String = "") -> DurableState {
        DurableState(persistenceID: id, version: version, payload: StatePayload(manifest: "m", bytes: Array(text.utf8)))
    }

    func faulty(_ plan: FaultPlan) -> FaultyStateStore<InMemoryStateStore> { FaultyStateStore(self.memory, plan: plan) }

    func error(_ body: () async throws(StoreError) -> Void) async -> StoreError? {
        do throws(StoreError) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    @Test func changesNothingWithoutAPlan() async throws {
        let store = self.faulty(FaultPlan())
        try await store.write(self.state(1), if: .absent)
        #expect(try await store.latestState(of: "ada") == self.state(1))
        try await store.delete("ada", if: .version(1))
        #expect(store.trace.map(\.effect) == [.applied, .read(self.state(1)), .applied])
        #expect(store.trace.allSatisfy { $0.error == nil && $0.fault == nil && !$0.isLate && !$0.isForeign })
    }

    @Test func refusesBeforeAnythingIsSent() async throws {
        let store = self.faulty(FaultPlan().with(.refuse(.throttled), at: .write(of: "ada", number: 2)))
        try await store.write(self.state(1), if: .absent)
        try await store.write(self.state(1, "bob"), if: .absent)
        let error = await self.error { () async throws(StoreError) in
            try await store.write(self.state(2), if: .version(1))
        }
        #expect(error?.code == .throttled)
        #expect(error?.outcome == .notApplied)
        #expect(try await self.memory.latestState(of: "ada") == self.state(1))
        // Used up.
        try await store.write(self.state(2), if: .version(1))
    }

    @Test func losesAnAnswerAfterApplying() async throws {
        let store = self.faulty(FaultPlan().with(.loseAnswer, at: .operation(1)))
        let error = await self.error { () async throws(StoreError) in try await store.write(self.state(1), if: .absent)
        }
        #expect(error?.outcome == .unknown)
        #expect(try await self.memory.latestState(of: "ada") == self.state(1))
        #expect(store.trace.map(\.effect) == [.applied])
    }

    /// The condition did not hold, and nobody hears of it: unknown as well, but nothing is applied.
    @Test func losesTheAnswerOfAConflict() async throws {
        try await self.memory.write(self.state(1), if: .absent)
        let store = self.faulty(FaultPlan().with(.loseAnswer, at: .write()))
        let error = await self.error { () async throws(StoreError) in try await store.write(self.state(1), if: .absent)
        }
        #expect(error?.outcome == .unknown)
        #expect(store.trace.map(\.effect) == [.notApplied])
    }

    @Test func losesARequest() async throws {
        let store = self.faulty(FaultPlan().with(.loseRequest, at: .write()))
        let error = await self.error { () async throws(StoreError) in try await store.write(self.state(1), if: .absent)
        }
        #expect(error?.outcome == .unknown)
        #expect(try await self.memory.latestState(of: "ada") == nil)
    }

    @Test func letsAWriteArriveAfterFurtherOperationsOfItsID() async throws {
        let store = self.faulty(FaultPlan().with(.applyLate(afterOperations: 2), at: .write()))
        let error = await self.error { () async throws(StoreError) in try await store.write(self.state(1), if: .absent)
        }
        #expect(error?.outcome == .unknown)
        #expect(store.lateCount == 1)
        #expect(try await store.latestState(of: "ada") == nil)
        #expect(try await store.latestState(of: "bob") == nil)
        #expect(try await store.latestState(of: "ada") == self.state(1))
        #expect(store.lateCount == 0)
        #expect(store.trace.map(\.isLate) == [false, false, false, true, false])
        #expect(store.trace.map(\.effect)[3] == .applied)
    }

    @Test func fencesALateWriteByItsCondition() async throws {
        let store = self.faulty(FaultPlan().with(.applyLate(afterOperations: 9), at: .write(number: 2)))
        try await store.write(self.state(1), if: .absent)
        _ = await self.error { () async throws(StoreError) in try await store.write(self.state(2), if: .version(1)) }
        try await store.write(self.state(2, "ada", "other"), if: .version(1))
        await store.landLateWrites()
        #expect(try await self.memory.latestState(of: "ada") == self.state(2, "ada", "other"))
        #expect(store.trace.last?.isLate == true)
        #expect(store.trace.last?.effect == .notApplied)
        #expect(store.trace.last?.error?.code == .conflict)
    }

    @Test func letsAnotherWriterInFirst() async throws {
        let store = self.faulty(FaultPlan().with(.foreignWrite, at: .write(number: 2)))
        try await store.write(self.state(1), if: .absent)
        let error = await self.error { () async throws(StoreError) in
            try await store.write(self.state(2, "ada", "mine"), if: .version(1))
        }
        #expect(error?.code == .conflict)
        #expect(error?.storedVersion == 2)
        #expect(try await self.memory.latestState(of: "ada") == self.state(2))
        #expect(store.trace.map(\.isForeign) == [false, true, false])
    }

    @Test func letsAnotherWriterCreateAState() async throws {
        var plan = FaultPlan().with(.foreignWrite, at: .write())
        plan.foreignState = { stored, attempted in stored ?? attempted }
        let store = self.faulty(plan)
        let error = await self.error { () async throws(StoreError) in try await store.write(self.state(1), if: .absent)
        }
        #expect(error?.code == .conflict)
    }

    @Test func losesTheConnectionForAWhile() async throws {
        let store = self.faulty(FaultPlan().with(.disconnect(operations: 3), at: .operation(2)))
        try await store.write(self.state(1), if: .absent)
        for _ in 0..<3 {
            let error = await self.error { () async throws(StoreError) in
                try await store.write(self.state(2), if: .version(1))
            }
            #expect(error?.code == .unavailable)
            #expect(error?.outcome == .notApplied)
        }
        try await store.write(self.state(2), if: .version(1))
    }

    @Test func holdsUntilReleased() async throws {
        let store = self.faulty(FaultPlan().with(.hold, at: .write()))
        let write = Task { try await store.write(self.state(1), if: .absent) }
        try await store.waitForHeld()
        #expect(store.heldCount == 1)
        #expect(try await store.latestState(of: "ada") == nil)
        store.releaseHeld()
        try await write.value
        #expect(try await store.latestState(of: "ada") == self.state(1))
    }

    @Test func endsAHeldWriteThatIsCancelled() async throws {
        let store = self.faulty(FaultPlan().with(.hold, at: .write()))
        let write = Task {
            await self.error { () async throws(StoreError) in try await store.write(self.state(1), if: .absent) }
        }
        try await store.waitForHeld()
        write.cancel()
        let error = await write.value
        #expect(error?.code == .cancelled)
        #expect(error?.outcome == .notApplied)
        #expect(store.heldCount == 0)
    }

    @Test func delaysByTheClock() async throws {
        let clock = ManualClock()
        let store = FaultyStateStore(
            self.memory, plan: FaultPlan().with(.delay(.seconds(3)), at: .write()), clock: clock)
        let write = Task { try await store.write(self.state(1), if: .absent) }
        try await clock.waitForSleepers()
        #expect(try await self.memory.latestState(of: "ada") == nil)
        clock.advance(by: .seconds(3))
        try await write.value
        #expect(try await self.memory.latestState(of: "ada") == self.state(1))
    }

    /// What chance does to an ID depends on the seed and on the ID's own operations only.
    @Test func repeatsWhatChanceDid() async throws {
        func faults(seed: UInt64, besides others: Int) async -> [Fault?] {
            let plan = FaultPlan(seed: seed).withRandom(.loseAnswer, probability: 0.2)
                .withRandom(.refuse(.throttled), probability: 0.2)
            let store = FaultyStateStore(InMemoryStateStore(), plan: plan)
            for number in 0..<100 {
                for _ in 0..<others { _ = try? await store.latestState(of: "other") }
                try? await store.write(self.state(UInt64(number) + 1), if: .always)
            }
            return store.trace.filter { $0.persistenceID == "ada" }.map(\.fault)
        }
        let once = await faults(seed: 5, besides: 0)
        #expect(await faults(seed: 5, besides: 2) == once)
        #expect(await faults(seed: 6, besides: 0) != once)
        #expect((10...30).contains(once.count { $0 == .loseAnswer }))
        #expect((10...30).contains(once.count { $0 == .refuse(.throttled) }))
    }

    @Test func offersWhatTheWrappedStoreOffers() async throws {
        let store: any StateStore = self.faulty(FaultPlan().with(.refuse(.throttled), at: .write(of: "bob")))
        let batching = try #require(store as? any StateBatching)
        let results = await batching.write(["ada", "bob", "eve"].map { StateWrite(self.state(1, $0), if: .absent) })
        #expect(results.map { (try? $0.get()) != nil } == [true, false, true])
        let listing = try #require(store as? any StateListing)
        #expect(try await listing.persistenceIDs(withPrefix: "", after: nil, limit: 10).ids == ["ada", "eve"])
    }

    /// Whatever chance does to concurrent callers, what they are told can be explained, and the trace agrees with the store.
    @Test(arguments: 0..<20 as Range<UInt64>) func tellsNoLies(seed: UInt64) async throws {
        let plan = FaultPlan(seed: seed).withRandom(.loseAnswer, probability: 0.1)
            .withRandom(.loseRequest, probability: 0.1).withRandom(.refuse(.throttled), probability: 0.1)
            .withRandom(.applyLate(afterOperations: 3), probability: 0.1)
            .withRandom(.disconnect(operations: 2), probability: 0.05)
        let store = self.faulty(plan)
        let recorder = HistoryRecorder(store, of: "ada")
        await withTaskGroup(of: Void.self) { group in
            for task: UInt64 in 0..<3 {
                group.addTask {
                    var generator = SeededGenerator(seed: seed, stream: task)
                    for turn in 0..<15 {
                        let stored = await recorder.read()
                        let next = self.state((stored?.version ?? 0) + 1 + UInt64(turn), "ada", "\(task).\(turn)")
                        let condition = stored.map { WriteCondition.version($0.version) } ?? .absent
                        if generator.chance(0.2) {
                            await recorder.delete(if: condition)
                        } else {
                            await recorder.write(next, if: condition)
                        }
                    }
                }
            }
        }
        await store.landLateWrites()
        store.plan = FaultPlan()
        _ = await recorder.read()
        #expect(LinearizabilityChecker().verdict(on: recorder.history) == .linearizable, "seed \(seed)")
        let lies = store.trace.filter { $0.error?.outcome == .notApplied && $0.effect == .applied && !$0.isLate }
        #expect(lies.isEmpty, "seed \(seed)")
    }

    /// Without faults it is as good a store as the one it wraps.
    @Test(arguments: StatePromise.all) func keepsPromises(_ promise: StatePromise) async throws {
        try await promise.verify(
            on: FaultyStateStore(InMemoryStateStore(maximumPayloadByteCount: 1 << 16), plan: FaultPlan()))
    }
}
