import PerdureCQL
import PerdureIO
import Testing

@testable import PerdureCQLClient

@Suite("The connections to one node")
struct NodePoolMachineTests {
    private func machine(size: Int = 2) -> NodePoolMachine {
        NodePoolMachine(size: size, backoff: CQLBackoff(base: .seconds(1), limit: .seconds(8)), seed: 1)
    }

    @Test("opens as many as there should be, and another when one breaks that had lasted")
    func lasting() {
        var machine = self.machine()
        #expect(machine.start(at: .zero) == [.open(1), .open(2)])
        #expect(machine.opened(1, at: .zero) == [])
        #expect(machine.opened(2, at: .zero) == [])
        #expect(machine.openCount == 2)
        #expect(machine.lost(1, at: .seconds(60)) == [.open(3)])
        #expect(machine.nextDeadline == nil)
    }

    @Test("waits longer after each failure, then tries with one connection")
    func failing() throws {
        var machine = self.machine()
        _ = machine.start(at: .zero)
        #expect(machine.failed(1, at: .zero) == [])
        #expect(machine.failed(2, at: .zero) == [])
        let first = try #require(machine.nextDeadline)
        #expect(first > .milliseconds(500) && first <= .seconds(2))
        #expect(machine.tick(at: first - .nanoseconds(1)) == [])
        #expect(machine.tick(at: first) == [.open(3)])
        #expect(machine.failed(3, at: first) == [])
        let second = try #require(machine.nextDeadline)
        #expect(second - first > .seconds(1))
        #expect(machine.tick(at: second) == [.open(4)])
        // It stands: the rest follows.
        #expect(machine.opened(4, at: second) == [.open(5)])
        #expect(machine.nextDeadline == nil)
    }

    @Test("a connection that breaks at once counts as a failure, one that had lasted does not")
    func flapping() throws {
        var machine = self.machine(size: 1)
        _ = machine.start(at: .zero)
        _ = machine.opened(1, at: .zero)
        #expect(machine.lost(1, at: .milliseconds(10)) == [])
        #expect(machine.failures == 1)
        let end = try #require(machine.nextDeadline)
        #expect(machine.tick(at: end) == [.open(2)])
        _ = machine.opened(2, at: end)
        #expect(machine.failures == 1)
        #expect(machine.lost(2, at: end + NodePoolMachine.trial) == [.open(3)])
        #expect(machine.failures == 0)
    }

    @Test("a node that is said to be up is tried at once")
    func hurry() {
        var machine = self.machine(size: 1)
        _ = machine.start(at: .zero)
        _ = machine.failed(1, at: .zero)
        #expect(machine.hurry(at: .milliseconds(1)) == [.open(2)])
        // Being tried already, it is not tried twice.
        #expect(machine.hurry(at: .milliseconds(2)) == [])
    }

    @Test("a worn-out connection ends when its requests are answered, and another takes its place")
    func wornOut() {
        var machine = self.machine(size: 1)
        _ = machine.start(at: .zero)
        _ = machine.opened(1, at: .zero)
        #expect(machine.wornOut(1, at: .seconds(5)) == [.drain(1), .open(2)])
        // Its end is no news.
        #expect(machine.lost(1, at: .seconds(6)) == [])
        #expect(machine.failed(1, at: .seconds(6)) == [])
    }

    @Test("after the stop nothing is opened, whatever happens")
    func stop() {
        var machine = self.machine()
        _ = machine.start(at: .zero)
        _ = machine.opened(1, at: .zero)
        #expect(machine.stop() == [.drain(1), .abort(2)])
        #expect(machine.lost(1, at: .seconds(5)) == [])
        #expect(machine.opened(2, at: .seconds(5)) == [])
        #expect(machine.hurry(at: .seconds(5)) == [])
        #expect(machine.tick(at: .seconds(50)) == [])
        #expect(machine.nextDeadline == nil)
    }

    @Test("keeps to its rules whatever happens", arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func anything(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var machine = self.machine(size: 3)
        var opening: Set<UInt64> = []
        var open: Set<UInt64> = []
        var now = Duration.zero
        func take(_ actions: [NodePoolMachine.Action]) {
            for action in actions {
                switch action {
                case .open(let id): opening.insert(id)
                case .abort(let id): #expect(opening.remove(id) != nil)
                case .drain(let id): #expect(open.remove(id) != nil)
                }
            }
            #expect(opening.count + open.count <= 3, "seed \(seed)")
            #expect(machine.openCount == open.count, "seed \(seed)")
            // Never idle for ever: what is missing is on its way, or waits for a time.
            #expect(opening.count + open.count == 3 || !opening.isEmpty || machine.nextDeadline != nil, "seed \(seed)")
        }
        take(machine.start(at: now))
        for _ in 0..<2000 {
            now += .milliseconds(Int.random(in: 0...700, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                if let id = opening.sorted().first {
                    opening.remove(id)
                    open.insert(id)
                    take(machine.opened(id, at: now))
                }
            case 1:
                if let id = opening.sorted().first {
                    opening.remove(id)
                    take(machine.failed(id, at: now))
                }
            case 2:
                if let id = open.sorted().first {
                    open.remove(id)
                    take(machine.lost(id, at: now))
                }
            case 3: if let id = open.sorted().last { take(machine.wornOut(id, at: now)) }
            case 4: take(machine.hurry(at: now))
            default: take(machine.tick(at: now))
            }
        }
    }
}
