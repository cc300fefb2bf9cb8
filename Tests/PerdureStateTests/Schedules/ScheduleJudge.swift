import PerdureState
import PerdureTestKit

/// Says what is wrong with a run of a schedule, by a pure model: the chain of what was really applied under each ID, from version 1.
struct ScheduleJudge {
    /// One version of an ID.
    private struct Link {
        /// Nil for a deletion.
        var state: Account.State?
        var isForeign: Bool
    }

    private let run: ScheduleRun
    private(set) var violations: [String] = []

    init(_ run: ScheduleRun) {
        self.run = run
        let ids = Set(run.schedule.senders.map(\.id)).sorted()
        for id in ids {
            guard let chain = self.chain(of: id) else { continue }
            self.judgeChain(chain, of: id)
            self.judgeAnswers(chain, of: id)
            self.judgeOrder(chain, of: id)
            for engine in 0..<run.schedule.engines { self.judgeObservers(chain, of: id, engine: engine) }
        }
    }

    private mutating func complain(_ text: String) {
        self.violations.append(text)
    }

    // MARK: What really happened

    /// The versions of an ID from 1 on, if each was made exactly once.
    private mutating func chain(of id: String) -> [Link]? {
        var links: [UInt64: Link] = [:]
        for entry in self.run.trace where entry.persistenceID == id && entry.effect == .applied {
            let version: UInt64
            let link: Link
            switch (entry.operation, entry.condition) {
            case (.write, _):
                guard let written = entry.state, let state = try? written.account else {
                    self.complain("\(id): a write without a readable state")
                    return nil
                }
                (version, link) = (written.version, Link(state: state, isForeign: entry.isForeign))
            case (.delete, .version(let replaced)?):
                (version, link) = (replaced + 1, Link(state: nil, isForeign: false))
            case (.delete, _):
                self.complain("\(id): an unconditional delete")
                return nil
            default: continue
            }
            if links.updateValue(link, forKey: version) != nil {
                self.complain("\(id): version \(version) was made twice")
            }
        }
        let chain = (0..<links.count).compactMap { links[UInt64($0) + 1] }
        guard chain.count == links.count else {
            self.complain("\(id): versions \(links.keys.sorted()) are not one after the other")
            return nil
        }
        if chain.last?.state != (try? self.run.stored[id]?.account) {
            self.complain("\(id): what is stored is not what was applied last")
        }
        return chain
    }

    private func state(_ chain: [Link], _ version: Int) -> Account.State {
        version == 0 ? Account.State() : chain[version - 1].state ?? Account.State()
    }

    private func exists(_ chain: [Link], _ version: Int) -> Bool { version > 0 && chain[version - 1].state != nil }

    /// Each version follows from the one before by one command.
    private mutating func judgeChain(_ chain: [Link], of id: String) {
        var commands: [Int: Account.Command] = [:]
        for sender in self.run.schedule.senders where sender.id == id {
            for case .some(let command) in sender.steps.map(\.command) {
                if let token = command.token { commands[token] = command }
            }
        }
        var used: Set<Int> = []
        for (place, link) in chain.enumerated() {
            guard let state = link.state, !link.isForeign else { continue }
            let before = self.state(chain, place)
            guard let token = state.tokens.last, let command = commands[token] else {
                self.complain("\(id): version \(place + 1) comes from no command")
                continue
            }
            if !used.insert(token).inserted { self.complain("\(id): command \(token) was applied twice") }
            guard case .persist(let expected)? = try? Account().handle(command, in: before).change, expected == state
            else {
                self.complain("\(id): version \(place + 1), \(state), does not follow from \(before) by \(command)")
                continue
            }
            if state.balance < 0 { self.complain("\(id): the balance of version \(place + 1) is \(state.balance)") }
        }
    }

    // MARK: What was told

    private mutating func judgeAnswers(_ chain: [Link], of id: String) {
        let tokens = Dictionary(
            chain.enumerated().compactMap { place, link in
                link.isForeign ? nil : link.state?.tokens.last.map { ($0, place + 1) }
            }, uniquingKeysWith: { first, _ in first })
        var deletions = Set(chain.indices.filter { chain[$0].state == nil }.map { $0 + 1 })
        var unknownDeletions = 0
        for call in self.run.calls where call.id == id {
            let place = call.command.token.flatMap { tokens[$0] }
            switch call.answer {
            case .success(let result):
                let version = Int(result.version)
                guard version <= chain.count else {
                    self.complain("\(id): \(call.command) was answered with version \(version), which never was")
                    continue
                }
                switch call.command {
                case .deposit, .withdraw:
                    if place != version || result.state != self.state(chain, version)
                        || result.reply != self.state(chain, version - 1).balance
                    {
                        self.complain(
                            "\(id): \(call.command) was acknowledged as version \(version), but is version \(place ?? 0)"
                        )
                    }
                case .delete where result.version > 0 && deletions.contains(version) && !self.isIdle(call, chain):
                    deletions.remove(version)
                    if result.reply != self.state(chain, version - 1).balance {
                        self.complain("\(id): the deletion \(version) answered with a wrong balance")
                    }
                default:
                    if result.state != self.state(chain, version), result.state != Account.State() {
                        self.complain("\(id): \(call.command) saw a state that version \(version) never had")
                    }
                }
            case .failure(let error):
                if error.outcome == .unknown {
                    if call.command == .delete { unknownDeletions += 1 }
                } else if let place {
                    self.complain("\(id): \(call.command) was answered \(error), but is version \(place)")
                }
            }
        }
        if deletions.count > unknownDeletions {
            self.complain(
                "\(id): \(deletions.count) deletions were not acknowledged, \(unknownDeletions) had an unknown outcome")
        }
    }

    /// Whether a delete found nothing to delete: its version is one that another one acknowledged.
    private func isIdle(_ call: ScheduleRun.Call, _ chain: [Link]) -> Bool {
        guard case .success(let result) = call.answer else { return true }
        // Of several deletes that name a version, only the one that had something to delete can have seen a balance or
        // be the first; a delete of an empty account answers 0 as an idle one does, and either may stand for the other.
        return result.reply == 0 && self.state(chain, Int(result.version) - 1).balance != 0
    }

    // MARK: The order

    /// Whoever began after another had its answer has seen at least as much.
    private mutating func judgeOrder(_ chain: [Link], of id: String) {
        let calls = self.run.calls.filter { $0.id == id }
        // What had been shown by each moment, at least.
        var shown: [(ended: Int, place: Int)] = []
        for call in calls.sorted(by: { $0.ended < $1.ended }) {
            let least = shown.last { $0.ended < call.began }?.place ?? 0
            guard let place = self.place(of: call, chain, from: least) else {
                self.complain("\(id): \(call.command) was answered from before version \(least), which it came after")
                continue
            }
            shown.append((call.ended, max(place, shown.last?.place ?? 0)))
        }
    }

    /// The earliest version, not before `least`, at which the answer is right; nil when there is none.
    private func place(of call: ScheduleRun.Call, _ chain: [Link], from least: Int) -> Int? {
        switch call.answer {
        case .success(let result):
            let version = Int(result.version)
            let changes = call.command.token != nil
            if changes || self.run.schedule.mustReadFresh == false {
                return !changes || version >= least ? (changes ? version : least) : nil
            }
            // A state of somebody else's deletion goes under the last version that was known.
            if version >= least, version <= chain.count, result.state == self.state(chain, version) { return version }
            guard result.state == Account.State() else { return nil }
            return (least...max(least, chain.count)).first { !self.exists(chain, $0) }
        case .failure(.rejected(.insufficientFunds(let balance))):
            guard self.run.schedule.mustReadFresh else { return least }
            return (least...max(least, chain.count)).first { self.state(chain, $0).balance == balance }
        case .failure:
            return least
        }
    }

    // MARK: What was observed

    private mutating func judgeObservers(_ chain: [Link], of id: String, engine: Int) {
        let seen = self.run.observed[engine].filter { $0.id == id }
        self.judgeSequence(seen.map { ($0.version, $0.state) }, chain, "observer \(engine) of \(id)")
        if seen.contains(where: { $0.missed != 0 }) { self.complain("observer \(engine) of \(id) missed changes") }
        let published = self.run.published[engine].filter { $0.persistenceID == id }
        if self.run.schedule.hasPublisher {
            self.judgeSequence(
                published.map { change in
                    if case .written(let state) = change { return (state.version, try? state.account) }
                    return (change.version, nil)
                }, chain, "publisher \(engine) of \(id)")
        }
        // What was acknowledged by this engine, its observers saw.
        for call in self.run.calls where call.id == id && call.engine == engine && call.command.token != nil {
            guard case .success(let result) = call.answer else { continue }
            if !seen.contains(where: { $0.version == result.version }) {
                self.complain("observer \(engine) of \(id) did not see version \(result.version)")
            }
            if self.run.schedule.hasPublisher, !published.contains(where: { $0.version == result.version }) {
                self.complain("publisher \(engine) of \(id) was not given version \(result.version)")
            }
        }
    }

    private mutating func judgeSequence(
        _ seen: [(version: UInt64, state: Account.State?)], _ chain: [Link], _ name: String
    ) {
        var last: UInt64 = 0
        for (version, state) in seen {
            if version <= last { self.complain("\(name): version \(version) came after \(last)") }
            last = version
            guard version >= 1, version <= chain.count, chain[Int(version) - 1].state == state else {
                self.complain("\(name): version \(version) was not that")
                continue
            }
        }
    }
}

extension Account.Command {
    /// What the command leaves in the state that it changes.
    var token: Int? {
        switch self {
        case .deposit(_, let token), .withdraw(_, let token): token
        case .read, .delete: nil
        }
    }
}
