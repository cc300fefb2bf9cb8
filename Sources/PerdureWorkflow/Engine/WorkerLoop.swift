internal import PerdureConcurrency
internal import PerdureModel

/// An engine as a worker: it says that it lives, finds out who does not, and takes runs.
final class WorkerLoop: Sendable {
    private struct Sighting {
        let beat: UInt64
        let since: Duration
    }

    private struct State {
        var lastRenewal = Duration.zero
        /// The other workers, and since when they stand still.
        var sightings: [IDKey: Sighting] = [:]
        var lastAdoption: Duration?
        /// When to look for runs that are ours without our knowing.
        var strayHunts: [Duration] = []
        var adoptsNow = false
    }

    private let core: EngineCore
    private let state = LockedState(State())
    private let beat = Bell()
    private let adoptionPause = Bell()
    private let claimPause = Bell()
    private let strayPause = Bell()
    private let listeningPause = Bell()
    private let purgePause = Bell()
    private let isListening = LockedState(false)

    init(_ core: EngineCore) { self.core = core }

    private var configuration: WorkflowEngine.Configuration { self.core.configuration }

    // MARK: Being registered

    /// Registers under a new ID: runs of an earlier one are somebody's to adopt.
    func register() async throws(StoreError) {
        var generator = SystemRandomNumberGenerator()
        let suffix = String(generator.next(), radix: 36)
        let process = LocalProcess.current
        let id = "\(self.configuration.name.prefix(40))-\(suffix)"
        let now = self.core.clock.unixMilliseconds
        let before = self.core.clock.now
        try await self.core.store.register(
            WorkerRecord(
                id: id, name: self.configuration.name, process: process,
                leaseMilliseconds: self.configuration.lease.wholeMilliseconds, registeredAt: now, renewedAt: now))
        self.state.withLock { state in
            state.lastRenewal = before
            state.adoptsNow = true
        }
        self.core.state.withLock { $0.worker = id }
        self.core.observer?.observe(.workerRegistered(worker: id, name: self.configuration.name))
        self.core.work.ring()
    }

    /// Says again and again that this worker lives, and looks whether the others do.
    func keepLease() async {
        while !Task.isCancelled {
            let lease = self.configuration.lease
            await self.renew(lease)
            await self.watchOthers()
            await self.huntStrays()
            let pause = min(lease / 3, self.configuration.watchInterval)
            await self.core.wait(for: self.beat, upTo: pause)
        }
    }

    private func renew(_ lease: Duration) async {
        guard let worker = self.core.state.withLock({ $0.worker }) else { return await self.registerAnew() }
        let before = self.core.clock.now
        let last = self.state.withLock { $0.lastRenewal }
        // Renewing is a write: no oftener than needed.
        if before - last < lease / 3 - .milliseconds(1) { return }
        do {
            if try await self.core.store.renew(worker, at: self.core.clock.unixMilliseconds) {
                self.state.withLock { $0.lastRenewal = before }
                return
            }
            self.loseLease(worker)
        } catch {
            self.core.troubled("renewing the lease", error)
            guard self.core.clock.now - last >= lease else { return }
            self.loseLease(worker)
        }
        await self.registerAnew()
    }

    /// This worker may be taken for dead: whatever it does now could be done twice.
    private func loseLease(_ worker: String) {
        let drivers = self.core.state.withLock { state -> [RunDriver] in
            state.worker = nil
            defer { state.drivers = [:] }
            return Array(state.drivers.values)
        }
        for driver in drivers { driver.giveUp() }
        self.core.empty.ring()
        self.core.observer?.observe(.leaseLost(worker: worker, runs: drivers.count))
    }

    private func registerAnew() async {
        guard !self.core.state.withLock({ $0.isDraining }) else { return }
        do {
            try await self.register()
        } catch {
            self.core.troubled("registering the worker", error)
        }
    }

    // MARK: The others

    private func watchOthers() async {
        guard let own = self.core.state.withLock({ $0.worker }) else { return }
        do {
            let workers = try await self.core.store.workers()
            let now = self.core.clock.now
            var dead: [WorkerRecord] = []
            self.state.withLock { state in
                var sightings: [IDKey: Sighting] = [:]
                for worker in workers where IDKey(worker.id) != IDKey(own) {
                    let key = IDKey(worker.id)
                    let before = state.sightings[key]
                    let sighting = before?.beat == worker.beat ? before : nil
                    sightings[key] = sighting ?? Sighting(beat: worker.beat, since: now)
                    let stoodStill = sighting.map { now - $0.since } ?? .zero
                    if stoodStill >= .milliseconds(worker.leaseMilliseconds) || LocalProcess.isGone(worker.process) {
                        dead.append(worker)
                    }
                }
                state.sightings = sightings
            }
            for worker in dead where try await self.core.store.bury(worker.id, beat: worker.beat) {
                self.core.observer?.observe(.workerBuried(worker: worker.id, name: worker.name))
                self.state.withLock { $0.adoptsNow = true }
            }
        } catch {
            self.core.troubled("watching the other workers", error)
        }
        let isTime = self.state.withLock { state -> Bool in
            let now = self.core.clock.now
            // Now and then also without a reason: who buried a worker may have died before it adopted.
            let isTime = state.adoptsNow || state.lastAdoption.map { now - $0 >= .seconds(5) } ?? true
            if isTime {
                state.lastAdoption = now
                state.adoptsNow = false
            }
            return isTime
        }
        if isTime { await self.adopt() }
    }

    /// Takes over the runs of workers that are gone, some at a time.
    private func adopt() async {
        while !Task.isCancelled {
            guard let (worker, places) = self.core.reserve(self.configuration.adoptionBatch) else {
                // There is no room; later.
                self.state.withLock { $0.adoptsNow = true }
                return
            }
            var runs: [RunSnapshot] = []
            do {
                runs = try await self.core.store.adopt(
                    RunClaim(
                        worker: worker, workflows: self.core.workflows, limit: places,
                        now: self.core.clock.unixMilliseconds))
            } catch {
                self.core.giveBack(places)
                self.core.troubled("adopting runs", error)
                if error.outcome == .unknown { self.expectStrays() }
                return
            }
            for run in runs {
                self.core.observer?.observe(
                    .runAdopted(
                        workflow: run.run.request.workflow, runID: run.run.id, adoptions: run.run.progress.adoptions))
            }
            self.drive(runs, as: worker, places)
            if runs.count < places { return }
            self.state.withLock { $0.adoptsNow = true }
            await self.core.wait(for: self.adoptionPause, upTo: self.configuration.adoptionPause)
            // The lease must not run out over many adoptions.
            await self.renew(self.configuration.lease)
        }
    }

    private func drive(_ runs: [RunSnapshot], as worker: String, _ places: Int) {
        for run in runs {
            guard let plan = self.core.plan(run.run.request.workflow) else {
                self.core.giveBack(1)
                continue
            }
            self.core.drive(
                RunMachine(run, plan, self.core.settings, self.core.moment), plan, as: worker)
        }
        self.core.giveBack(places - runs.count)
    }

    // MARK: Strays

    /// A claim of which the answer was lost may have happened, or may still: then runs are ours, and nobody drives them.
    private func expectStrays() {
        let now = self.core.clock.now
        self.state.withLock { $0.strayHunts += [now, now + self.configuration.lease] }
        self.beat.ring()
    }

    /// Looks for runs that are ours and that nobody drives, and drives them.
    private func huntStrays() async {
        let now = self.core.clock.now
        let isTime = self.state.withLock { state -> Bool in
            let count = state.strayHunts.count
            state.strayHunts.removeAll { $0 <= now }
            return state.strayHunts.count < count
        }
        guard isTime, let worker = self.core.state.withLock({ $0.worker }) else { return }
        do {
            for runID in try await self.strays(of: worker) {
                guard let snapshot = try await self.core.store.snapshot(of: runID),
                    snapshot.run.progress.owner == worker, let plan = self.core.plan(snapshot.run.request.workflow),
                    !self.core.knows(runID), let (owner, _) = self.core.reserve(1)
                else { continue }
                self.core.drive(
                    RunMachine(snapshot, plan, self.core.settings, self.core.moment), plan, as: owner)
            }
        } catch {
            self.core.troubled("looking for runs of which the claim was lost", error)
            self.state.withLock { $0.strayHunts.append(now + self.configuration.watchInterval) }
        }
    }

    /// Runs that are this worker's by the store, and not by what it knows; not those that are on their way in.
    private func strays(of worker: String) async throws(StoreError) -> [String] {
        var found: [String] = []
        for _ in 1...2 {
            var seen: [String] = []
            for workflow in self.core.workflows {
                var filter = RunFilter()
                filter.workflow = workflow
                filter.statuses = [.running]
                var cursor: RunPage.Cursor?
                repeat {
                    let page = try await self.page(of: filter, after: cursor)
                    for run in page.runs where run.progress.owner == worker && !self.core.knows(run.id) {
                        seen.append(run.id)
                    }
                    cursor = page.next
                } while cursor != nil
            }
            if seen.isEmpty { return [] }
            if !found.isEmpty { return seen.filter(found.contains) }
            found = seen
            await self.core.wait(for: self.strayPause, upTo: self.configuration.watchInterval)
        }
        return []
    }

    /// A page of runs, asked for again when the store is out of reach for a moment: with many workflows a hunt is many pages, and one that
    /// fails must not make all of it vain.
    private func page(of filter: RunFilter, after cursor: RunPage.Cursor?) async throws(StoreError) -> RunPage {
        var failures = 0
        while true {
            do {
                return try await self.core.store.runs(
                    where: filter, after: cursor, limit: 1_000, now: self.core.clock.unixMilliseconds)
            } catch {
                failures += 1
                guard failures < 5, !error.code.isPermanent, !Task.isCancelled else { throw error }
                await self.core.pause(CommitResolution.pause(after: failures))
            }
        }
    }

    // MARK: Taking runs

    /// Takes runs that are due, whenever there is room for some.
    func takeRuns() async {
        let range = self.configuration.pollInterval
        var pause = range.lowerBound
        while !Task.isCancelled {
            guard let (worker, places) = self.core.reserve(self.configuration.claimBatch) else {
                await self.core.wait(for: self.core.work, upTo: range.upperBound)
                continue
            }
            let now = self.core.clock.unixMilliseconds
            do {
                let claimed = try await self.core.store.claim(
                    RunClaim(worker: worker, workflows: self.core.workflows, limit: places, now: now))
                self.drive(claimed.runs, as: worker, places)
                if claimed.runs.count == places { continue }
                pause = claimed.runs.isEmpty ? min(pause * 2, range.upperBound) : range.lowerBound
                var longest = self.isListening.withLock { $0 } ? range.upperBound : pause
                if let wake = claimed.nextWake { longest = min(longest, .milliseconds(max(1, wake &- now))) }
                await self.core.wait(for: self.core.work, upTo: longest)
            } catch {
                self.core.giveBack(places)
                self.core.troubled("claiming runs", error)
                if error.outcome == .unknown { self.expectStrays() }
                await self.core.wait(for: self.claimPause, upTo: range.upperBound)
            }
        }
    }

    // MARK: Messages

    /// Looks now and then whether runs of this worker have mail.
    func deliverMail() async {
        while !Task.isCancelled {
            let longest = self.configuration.mailInterval
            await self.core.wait(for: self.core.mail, upTo: self.isListening.withLock { $0 } ? longest * 10 : longest)
            let worker = self.core.state.withLock { $0.drivers.isEmpty ? nil : $0.worker }
            guard let worker else { continue }
            do {
                for mail in try await self.core.store.mail(for: worker) {
                    self.core.driver(of: mail.runID)?.nudge(.noted(mail.inboxCount))
                }
            } catch {
                self.core.troubled("looking for messages", error)
            }
        }
    }

    /// Listens to what the store tells of other processes.
    func listen() async {
        guard let store = self.core.store as? any RunNotifications else { return }
        let core = self.core
        while !Task.isCancelled {
            self.isListening.withLock { $0 = true }
            do {
                try await store.notices { notice in
                    switch notice {
                    case .ready: core.work.ring()
                    case .mail(let runID): core.driver(of: runID)?.nudge(.hint)
                    case .ended(let runID): core.watch.hint(runID)
                    case .missed:
                        core.work.ring()
                        core.mail.ring()
                        core.watch.hintAll()
                    }
                }
            } catch {
                self.isListening.withLock { $0 = false }
                core.troubled("listening to the store", error)
                await core.wait(for: self.listeningPause, upTo: .seconds(1))
            }
        }
    }

    // MARK: Tidying up

    /// Removes ended runs whose time is over, now and then.
    func purge() async {
        while !Task.isCancelled {
            await self.core.wait(for: self.purgePause, upTo: self.configuration.purgeInterval)
            if Task.isCancelled { return }
            do {
                let now = self.core.clock.unixMilliseconds
                let count = try await self.core.store.purgeRuns(expiredAt: now, limit: 1_000)
                if count > 0 { self.core.observer?.observe(.runsPurged(count: count)) }
                if count == 1_000 { self.purgePause.ring() }
            } catch {
                self.core.troubled("removing runs whose time is over", error)
            }
        }
    }
}
