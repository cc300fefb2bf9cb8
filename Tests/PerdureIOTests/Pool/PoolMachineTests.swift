import PerdureIO
import Testing

@Suite struct PoolMachineTests {
    private func configuration(_ change: (inout PoolConfiguration) -> Void = { _ in }) -> PoolConfiguration {
        var configuration = PoolConfiguration()
        configuration.minimum = 0
        configuration.maximum = 2
        change(&configuration)
        return configuration
    }

    private func opened(_ actions: [PoolMachine.Action]) -> [PoolMachine.ConnectionID] {
        actions.compactMap { if case .open(let id) = $0 { id } else { nil } }
    }

    @Test func opensTheMinimumAndLeasesWhatIsFree() {
        var pool = PoolMachine(self.configuration { $0.minimum = 1 }, seed: 1)
        let first = self.opened(pool.start(at: .zero))
        #expect(first.count == 1)
        #expect(pool.opened(first[0], at: .zero) == [])
        let (waiter, actions) = pool.acquire(until: .seconds(1), at: .zero)
        #expect(actions == [.lease(first[0], to: waiter)])
        #expect(pool.released(first[0], isReusable: true, at: .zero) == [])
    }

    @Test func waitersAreServedInOrder() {
        var pool = PoolMachine(self.configuration { $0.maximum = 1 }, seed: 1)
        let (first, actions) = pool.acquire(until: .seconds(9), at: .zero)
        let id = self.opened(actions)[0]
        let (second, none) = pool.acquire(until: .seconds(5), at: .zero)
        #expect(none == [])
        #expect(pool.opened(id, at: .zero) == [.lease(id, to: first)])
        #expect(pool.released(id, isReusable: true, at: .zero) == [.lease(id, to: second)])
    }

    @Test func aWaiterIsRefusedAtItsDeadline() {
        var pool = PoolMachine(self.configuration { $0.maximum = 1 }, seed: 1)
        let (first, actions) = pool.acquire(until: .seconds(9), at: .zero)
        let id = self.opened(actions)[0]
        _ = pool.opened(id, at: .zero)
        let (second, _) = pool.acquire(until: .seconds(2), at: .zero)
        #expect(pool.nextDeadline == .seconds(2))
        #expect(pool.tick(at: .seconds(2)) == [.refuse(second, .deadline)])
        _ = first
    }

    @Test func aBrokenConnectionIsReplacedForWhoWaits() {
        var pool = PoolMachine(self.configuration { $0.maximum = 1 }, seed: 1)
        let (_, actions) = pool.acquire(until: .seconds(9), at: .zero)
        let id = self.opened(actions)[0]
        _ = pool.opened(id, at: .zero)
        let (_, waiting) = pool.acquire(until: .seconds(9), at: .zero)
        #expect(waiting == [])
        // It never did its work, so the pool backs off before it opens another.
        #expect(pool.released(id, isReusable: false, at: .zero) == [.close(id)])
        #expect(pool.connectionCount == 0)
        let retry = pool.nextDeadline
        #expect(retry.map { $0 > .zero && $0 <= .milliseconds(50) } == true)
        #expect(self.opened(pool.tick(at: .milliseconds(50))).count == 1)
    }

    @Test func backsOffLongerAndLonger() {
        var pool = PoolMachine(self.configuration { $0.minimum = 1 }, seed: 7)
        var now = Duration.zero
        var id = self.opened(pool.start(at: now))[0]
        var waits: [Duration] = []
        for _ in 0..<12 {
            #expect(pool.openFailed(id, isPermanent: false, at: now) == [])
            let next = pool.nextDeadline ?? .zero
            waits.append(next - now)
            now = next
            id = self.opened(pool.tick(at: now))[0]
        }
        for (index, wait) in waits.enumerated() {
            let full = min(Duration.milliseconds(50) * (1 << index), .seconds(5))
            #expect(wait >= full / 2 && wait <= full, "attempt \(index) waited \(wait)")
        }
    }

    @Test func aPermanentFailureRefusesAtOnce() {
        var pool = PoolMachine(self.configuration(), seed: 1)
        let (waiter, actions) = pool.acquire(until: .seconds(9), at: .zero)
        let id = self.opened(actions)[0]
        #expect(pool.openFailed(id, isPermanent: true, at: .zero) == [.refuse(waiter, .cannotOpen)])
    }

    @Test func replacesOldConnectionsAndLetsIdleOnesGo() {
        let settings = self.configuration {
            $0.lifetime = .seconds(100)
            $0.idleTime = .seconds(10)
            $0.checkInterval = nil
        }
        var pool = PoolMachine(settings, seed: 1)
        let (_, actions) = pool.acquire(until: .seconds(9), at: .zero)
        let id = self.opened(actions)[0]
        _ = pool.opened(id, at: .zero)
        _ = pool.released(id, isReusable: true, at: .seconds(1))
        #expect(pool.tick(at: .seconds(10)) == [])
        #expect(pool.tick(at: .seconds(11)) == [.close(id)])

        let (_, more) = pool.acquire(until: .seconds(30), at: .seconds(20))
        let other = self.opened(more)[0]
        _ = pool.opened(other, at: .seconds(20))
        // At work until it is too old: it is not handed out again.
        _ = pool.released(other, isReusable: true, at: .seconds(119))
        let (_, third) = pool.acquire(until: .seconds(200), at: .seconds(121))
        #expect(third.first == .close(other))
        #expect(self.opened(third).count == 1)
    }

    @Test func checksConnectionsThatNobodyUses() {
        var pool = PoolMachine(self.configuration { $0.minimum = 1 }, seed: 1)
        let id = self.opened(pool.start(at: .zero))[0]
        _ = pool.opened(id, at: .zero)
        #expect(pool.tick(at: .seconds(30)) == [.check(id)])
        let (waiter, none) = pool.acquire(until: .seconds(90), at: .seconds(30))
        #expect(none == [])
        #expect(pool.checked(id, at: .seconds(31)) == [.lease(id, to: waiter)])
        _ = pool.released(id, isReusable: true, at: .seconds(31))
        #expect(pool.tick(at: .seconds(61)) == [.check(id)])
        // No answer: the connection is given up and another opened.
        let actions = pool.tick(at: .seconds(71))
        #expect(actions.first == .close(id))
        #expect(self.opened(actions).count == 1)
    }

    @Test func shutDownLetsLeasedConnectionsFinish() {
        var pool = PoolMachine(self.configuration(), seed: 1)
        let (_, actions) = pool.acquire(until: .seconds(9), at: .zero)
        let id = self.opened(actions)[0]
        _ = pool.opened(id, at: .zero)
        let (late, more) = pool.acquire(until: .seconds(9), at: .zero)
        let other = self.opened(more)[0]
        #expect(pool.shutDown() == [.refuse(late, .closed), .close(other)])
        #expect(pool.released(id, isReusable: true, at: .zero) == [.close(id), .drained])
        let (refused, after) = pool.acquire(until: .seconds(9), at: .zero)
        #expect(after == [.refuse(refused, .closed)])
    }

    // MARK: Seeded schedules

    /// A server and users that do anything at any time; what must hold always is checked after every step.
    private struct World {
        var pool: PoolMachine
        var random: SplitMix
        var now = Duration.zero
        var opening: Set<PoolMachine.ConnectionID> = []
        var idle: Set<PoolMachine.ConnectionID> = []
        var checking: Set<PoolMachine.ConnectionID> = []
        var leased: Set<PoolMachine.ConnectionID> = []
        var waiting: [(id: PoolMachine.WaiterID, deadline: Duration)] = []
        var answers: [PoolMachine.WaiterID: Int] = [:]
        var drained = 0
        var faults: [String] = []

        var all: Int { self.opening.count + self.idle.count + self.checking.count + self.leased.count }

        mutating func carryOut(_ actions: [PoolMachine.Action]) {
            for action in actions {
                switch action {
                case .open(let id): self.opening.insert(id)
                case .check(let id):
                    if self.idle.remove(id) == nil { self.faults.append("checked \(id), which is not idle") }
                    self.checking.insert(id)
                case .close(let id):
                    let known = [
                        self.opening.remove(id), self.idle.remove(id), self.checking.remove(id), self.leased.remove(id),
                    ]
                    if known.allSatisfy({ $0 == nil }) { self.faults.append("closed \(id), which is not there") }
                case .lease(let id, let waiter):
                    if self.idle.remove(id) == nil { self.faults.append("leased \(id), which is not idle") }
                    self.leased.insert(id)
                    if self.waiting.first?.id != waiter { self.faults.append("leased out of order") }
                    if let first = self.waiting.first, first.deadline < self.now {
                        self.faults.append("leased to a waiter whose deadline was over")
                    }
                    self.answer(waiter)
                case .refuse(let waiter, _): self.answer(waiter)
                case .drained: self.drained += 1
                }
                if self.all > self.pool.configuration.maximum {
                    self.faults.append("more than the maximum: \(self.all)")
                }
            }
        }

        private mutating func answer(_ waiter: PoolMachine.WaiterID) {
            self.waiting.removeAll { $0.id == waiter }
            self.answers[waiter, default: 0] += 1
            if self.answers[waiter] != 1 { self.faults.append("answered a waiter twice") }
        }

        mutating func acquire() {
            let deadline = self.now + .milliseconds(Int.random(in: 1...5_000, using: &self.random))
            let (id, actions) = self.pool.acquire(until: deadline, at: self.now)
            self.waiting.append((id, deadline))
            self.carryOut(actions)
        }

        mutating func step() {
            switch Int.random(in: 0..<12, using: &self.random) {
            case 0..<3: self.acquire()
            case 3, 4:
                guard let id = self.opening.sorted().randomElement(using: &self.random) else { return }
                if Int.random(in: 0..<4, using: &self.random) == 0 {
                    self.opening.remove(id)
                    let isPermanent = Bool.random(using: &self.random)
                    self.carryOut(self.pool.openFailed(id, isPermanent: isPermanent, at: self.now))
                } else {
                    self.opening.remove(id)
                    self.idle.insert(id)
                    self.carryOut(self.pool.opened(id, at: self.now))
                }
            case 5..<8:
                guard let id = self.leased.sorted().randomElement(using: &self.random) else { return }
                let isReusable = Int.random(in: 0..<5, using: &self.random) > 0
                if isReusable {
                    self.leased.remove(id)
                    self.idle.insert(id)
                }
                self.carryOut(self.pool.released(id, isReusable: isReusable, at: self.now))
            case 8:
                guard let id = self.checking.sorted().randomElement(using: &self.random) else { return }
                self.checking.remove(id)
                self.idle.insert(id)
                self.carryOut(self.pool.checked(id, at: self.now))
            case 9:
                let any = self.opening.union(self.idle).union(self.checking).union(self.leased)
                guard let id = any.sorted().randomElement(using: &self.random) else { return }
                self.carryOut(self.pool.lost(id, at: self.now))
            default:
                self.now += .milliseconds(Int.random(in: 0...3_000, using: &self.random))
                self.carryOut(self.pool.tick(at: self.now))
            }
        }
    }

    /// Draws are made from sorted copies, because sets differ in order between runs: a seed tells everything.
    @Test func keepsItsRulesWhateverHappens() {
        for seed in 0..<5_000 as Range<UInt64> { self.runSchedule(seed: seed) }
    }

    private func runSchedule(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var settings = PoolConfiguration()
        settings.maximum = Int.random(in: 1...5, using: &random)
        settings.minimum = Int.random(in: 0...settings.maximum, using: &random)
        settings.lifetime = Bool.random(using: &random) ? .seconds(20) : nil
        settings.idleTime = Bool.random(using: &random) ? .seconds(4) : nil
        settings.checkInterval = Bool.random(using: &random) ? .seconds(3) : nil
        settings.maximumWaiters = 10
        var world = World(pool: PoolMachine(settings, seed: seed), random: random)
        world.carryOut(world.pool.start(at: .zero))
        for _ in 0..<200 { world.step() }

        // The server becomes well: everybody who waits gets an answer, and the minimum is there.
        for _ in 0..<200 where !world.waiting.isEmpty || world.all < settings.minimum || !world.leased.isEmpty {
            for id in world.opening.sorted() {
                world.opening.remove(id)
                world.idle.insert(id)
                world.carryOut(world.pool.opened(id, at: world.now))
            }
            for id in world.leased.sorted() {
                world.leased.remove(id)
                world.idle.insert(id)
                world.carryOut(world.pool.released(id, isReusable: true, at: world.now))
            }
            for id in world.checking.sorted() {
                world.checking.remove(id)
                world.idle.insert(id)
                world.carryOut(world.pool.checked(id, at: world.now))
            }
            if let next = world.pool.nextDeadline { world.now = max(world.now, next) }
            world.carryOut(world.pool.tick(at: world.now))
        }
        if !world.waiting.isEmpty { world.faults.append("\(world.waiting.count) wait for ever") }
        if world.all < settings.minimum { world.faults.append("\(world.all) connections, less than the minimum") }

        for _ in 0..<10 { world.acquire() }
        world.carryOut(world.pool.shutDown())
        for id in world.leased.sorted() { world.carryOut(world.pool.released(id, isReusable: true, at: world.now)) }
        if world.all != 0 { world.faults.append("\(world.all) connections leaked") }
        if world.drained != 1 { world.faults.append("drained \(world.drained) times") }
        if !world.waiting.isEmpty { world.faults.append("a waiter was forgotten at the end") }
        #expect(world.faults.isEmpty, "seed \(seed): \(world.faults)")
    }
}
