import PerdureCQL
import Testing

@testable import PerdureCQLClient

@Suite("Watching the cluster")
struct ControlMachineTests {
    private let one = CQLEndpoint(address: .v4(1), port: 9042)
    private let two = CQLEndpoint(address: .v4(2), port: 9042)

    private func machine() -> ControlMachine {
        ControlMachine(backoff: CQLBackoff(base: .seconds(1), limit: .seconds(8)), seed: 1)
    }

    /// A machine that watches through `one`.
    private func watching() -> ControlMachine {
        var machine = self.machine()
        _ = machine.start()
        _ = machine.candidates([self.one, self.two], at: .zero)
        _ = machine.opened()
        _ = machine.answered(.local, at: .zero)
        _ = machine.answered(.peers, at: .zero)
        _ = machine.answered(.keyspaces, at: .zero)
        return machine
    }

    @Test("asks everything once, and is established when all was answered")
    func opening() {
        var machine = self.machine()
        #expect(machine.start() == [.gather])
        #expect(machine.start() == [])
        #expect(machine.candidates([self.one, self.two, self.one], at: .zero) == [.connect(self.one)])
        #expect(machine.opened() == [.ask(.local), .ask(.peers), .ask(.keyspaces)])
        #expect(machine.answered(.peers, at: .zero) == [])
        #expect(machine.answered(.local, at: .zero) == [])
        #expect(machine.answered(.keyspaces, at: .zero) == [.established])
        #expect(machine.nextDeadline == nil)
    }

    @Test("tries each node once, then pauses, longer each time")
    func exhausted() throws {
        var machine = self.machine()
        _ = machine.start()
        _ = machine.candidates([self.one, self.two, self.one], at: .zero)
        #expect(machine.lost(at: .zero) == [.connect(self.two)])
        #expect(machine.lost(at: .zero) == [.exhausted])
        let first = try #require(machine.nextDeadline)
        #expect(machine.tick(at: first - .nanoseconds(1)) == [])
        #expect(machine.tick(at: first) == [.gather])
        #expect(machine.candidates([], at: first) == [.exhausted])
        let second = try #require(machine.nextDeadline)
        #expect(second - first > first / 2)
        // Somebody wants to connect now.
        #expect(machine.start() == [.gather])
    }

    @Test("falls back to an older version at the same node")
    func olderVersion() {
        var machine = self.machine()
        _ = machine.start()
        _ = machine.candidates([self.one, self.two], at: .zero)
        #expect(machine.lost(again: self.one, at: .zero) == [.connect(self.one)])
        #expect(machine.lost(at: .zero) == [.connect(self.two)])
    }

    @Test("asks servers before 4.0 for the older table")
    func olderTable() {
        var machine = self.machine()
        _ = machine.start()
        _ = machine.candidates([self.one], at: .zero)
        _ = machine.opened()
        #expect(machine.refused(.peers, code: .invalid, at: .zero) == [.ask(.oldPeers)])
        _ = machine.answered(.local, at: .zero)
        _ = machine.answered(.keyspaces, at: .zero)
        #expect(machine.answered(.oldPeers, at: .zero) == [.established])
        _ = machine.changed(nodes: true, keyspaces: false, at: .zero)
        #expect(machine.tick(at: ControlMachine.settling) == [.ask(.local), .ask(.oldPeers)])
    }

    @Test("a node that refuses to tell is left for the next")
    func refused() {
        var machine = self.machine()
        _ = machine.start()
        _ = machine.candidates([self.one, self.two], at: .zero)
        _ = machine.opened()
        #expect(machine.refused(.local, code: .serverError, at: .zero) == [.disconnect, .connect(self.two)])
        // What the first still answers is not looked at.
        #expect(machine.answered(.peers, at: .zero) == [])
    }

    @Test("reads the nodes a second after an event, once for several events")
    func events() {
        var machine = self.watching()
        #expect(machine.changed(nodes: true, keyspaces: false, at: .seconds(10)) == [])
        #expect(machine.changed(nodes: true, keyspaces: false, at: .seconds(10.5)) == [])
        #expect(machine.nextDeadline == .seconds(11))
        #expect(machine.tick(at: .seconds(11)) == [.ask(.local), .ask(.peers)])
        #expect(machine.nextDeadline == nil)
        #expect(machine.changed(nodes: false, keyspaces: true, at: .seconds(11)) == [.ask(.keyspaces)])
        // What is under way may be older than the change.
        #expect(machine.changed(nodes: false, keyspaces: true, at: .seconds(11)) == [])
        #expect(machine.answered(.keyspaces, at: .seconds(11)) == [])
        #expect(machine.answered(.local, at: .seconds(11)) == [])
        #expect(machine.answered(.peers, at: .seconds(11)) == [.ask(.keyspaces)])
    }

    @Test("keeps events that come before the first answers, which may be older")
    func earlyEvents() {
        var machine = self.machine()
        _ = machine.start()
        _ = machine.candidates([self.one], at: .zero)
        _ = machine.opened()
        _ = machine.answered(.local, at: .zero)
        #expect(machine.changed(nodes: true, keyspaces: true, at: .zero) == [])
        _ = machine.answered(.peers, at: .zero)
        #expect(machine.answered(.keyspaces, at: .zero) == [.established, .ask(.keyspaces)])
        #expect(machine.tick(at: ControlMachine.settling) == [.ask(.local), .ask(.peers)])
    }

    @Test("begins a new round at once when the connection breaks")
    func lost() {
        var machine = self.watching()
        #expect(machine.lost(at: .seconds(5)) == [.gather])
        #expect(machine.candidates([self.two], at: .seconds(5)) == [.connect(self.two)])
    }

    @Test("after the stop nothing happens")
    func stop() {
        var machine = self.watching()
        #expect(machine.stop() == [.disconnect])
        #expect(machine.start() == [])
        #expect(machine.lost(at: .zero) == [])
        #expect(machine.changed(nodes: true, keyspaces: true, at: .zero) == [])
        #expect(machine.nextDeadline == nil)
    }
}
