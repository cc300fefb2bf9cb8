import PerdureState
import PerdureTestKit

/// A plan of commands, faults and disturbances, all of it drawn from one seed.
struct Schedule: Sendable {
    /// What one sender does next.
    enum Step: Sendable {
        case send(Account.Command)
        /// With a deadline, in steps of ``HastyClock``.
        case sendWithin(Account.Command, Int)
        /// Cancelled after others have run so many times.
        case sendCancelled(Account.Command, Int)
        case passivate
    }

    struct Sender: Sendable {
        var engine: Int
        var id: String
        var steps: [Step]
    }

    let seed: UInt64
    var isShared: Bool
    var engines: Int
    var maximumLiveEntities: Int?
    var maximumConflicts: Int
    var maximumWaitingCommands: Int
    var hasPublisher: Bool
    var plan: FaultPlan
    var senders: [Sender] = []

    /// Whether answers that write nothing must be up to date: not where several engines trust their memory.
    var mustReadFresh: Bool { self.isShared || self.engines == 1 }

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        self.seed = seed
        self.engines = Int.random(in: 1...3, using: &random)
        self.isShared = random.chance(0.6)
        self.maximumLiveEntities = random.chance(0.4) ? 1 : nil
        self.maximumConflicts = random.chance(0.3) ? Int.random(in: 1...3, using: &random) : 16
        self.maximumWaitingCommands = random.chance(0.2) ? Int.random(in: 0...2, using: &random) : 1_000
        self.hasPublisher = random.chance(0.5)
        self.plan = Self.plan(seed: seed, &random)
        var token = 0
        let ids = (0..<Int.random(in: 1...3, using: &random)).map { "account-\($0)" }
        for _ in 0..<Int.random(in: 2...6, using: &random) {
            let engine = Int.random(in: 0..<self.engines, using: &random)
            let id = ids[Int.random(in: 0..<ids.count, using: &random)]
            let steps = (0..<Int.random(in: 2...8, using: &random)).map { _ in Self.step(&token, &random) }
            self.senders.append(Sender(engine: engine, id: id, steps: steps))
        }
    }

    private static func plan(seed: UInt64, _ random: inout SeededGenerator) -> FaultPlan {
        var plan = FaultPlan(seed: seed)
        // Another program: adds a token of its own, a negative one so that it cannot be mistaken for a sender's.
        plan.foreignState = { stored, _ in
            guard var stored, var account = try? stored.account else { return nil }
            stored.version += 1
            account.tokens.append(-Int(stored.version))
            guard let payload = try? AccountCodec().encode(account) else { return nil }
            stored.payload = payload
            return stored
        }
        let faults: [Fault] = [
            .refuse(.unavailable), .refuse(.throttled), .loseAnswer, .loseRequest, .foreignWrite,
            .applyLate(afterOperations: Int.random(in: 1...4, using: &random)),
            .disconnect(operations: Int.random(in: 1...3, using: &random)),
        ]
        for fault in faults where random.chance(0.5) {
            plan = plan.withRandom(fault, probability: Double.random(in: 0.01...0.12, using: &random))
        }
        return plan
    }

    private static func step(_ token: inout Int, _ random: inout SeededGenerator) -> Step {
        if random.chance(0.08) { return .passivate }
        token += 1
        let amount = Int.random(in: 1...20, using: &random)
        let command: Account.Command =
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<40: .deposit(amount, token: token)
            case 40..<75: .withdraw(amount, token: token)
            case 75..<92: .read
            default: .delete
            }
        if random.chance(0.15) { return .sendWithin(command, Int.random(in: 0...30, using: &random)) }
        if random.chance(0.12) { return .sendCancelled(command, Int.random(in: 0...20, using: &random)) }
        return .send(command)
    }
}
