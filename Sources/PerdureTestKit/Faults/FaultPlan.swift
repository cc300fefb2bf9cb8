internal import PerdureConcurrency

/// Which operations of a ``FaultyStateStore`` meet which fault: a script, chance, or both.
///
/// ```swift
/// let plan = FaultPlan()
///     .with(.loseAnswer, at: .write(of: "ada", number: 2))
///     .withRandom(.loseAnswer, probability: 0.05)
///     .withRandom(.foreignWrite, probability: 0.05)
/// ```
///
/// The script is asked first, rule by rule in its order; what it leaves alone is left to chance. What chance says depends on the
/// seed, the ID and how many operations the ID has seen: not on what happens to other IDs meanwhile.
public struct FaultPlan: Sendable {
    /// An operation that is about to begin.
    public struct Call: Sendable {
        /// Its number among all operations of the store, from 1.
        public let number: Int
        /// Its number among the operations on its ID, from 1.
        public let numberOfID: Int
        /// Its number among the operations of its kind on its ID, from 1.
        public let numberOfKind: Int
        /// `read`, `write` or `delete`.
        public let operation: StoreError.Operation
        /// The ID that it is about.
        public let persistenceID: String
        /// What a write would store.
        public let state: DurableState?
        /// The condition of a write or a delete.
        public let condition: WriteCondition?
    }

    /// Which operations a rule of the script is about.
    public struct Match: Sendable {
        let holds: @Sendable (Call) -> Bool

        /// Those for which `holds` returns true.
        public static func when(_ holds: @escaping @Sendable (Call) -> Bool) -> Match { Match(holds: holds) }

        /// The operation of this number, from 1, among all of the store.
        public static func operation(_ number: Int) -> Match { .when { $0.number == number } }

        /// Writes: of one ID or of any; the one of this number among the writes of its ID, or each.
        public static func write(of id: String? = nil, number: Int? = nil) -> Match { .kind(.write, id, number) }

        /// Deletions: of one ID or of any; the one of this number among the deletions of its ID, or each.
        public static func delete(of id: String? = nil, number: Int? = nil) -> Match { .kind(.delete, id, number) }

        /// Reads: of one ID or of any; the one of this number among the reads of its ID, or each.
        public static func read(of id: String? = nil, number: Int? = nil) -> Match { .kind(.read, id, number) }

        private static func kind(_ operation: StoreError.Operation, _ id: String?, _ number: Int?) -> Match {
            .when { call in
                call.operation == operation && (number == nil || call.numberOfKind == number)
                    && (id.map { IDKey($0) == IDKey(call.persistenceID) } ?? true)
            }
        }
    }

    /// What another writer makes of a stored state (nil: nothing is stored) when a caller attempts to write (nil: to delete or read).
    ///
    /// Returns what the other writer stores, whatever is there; nil when it stores nothing.
    public typealias ForeignState = @Sendable (_ stored: DurableState?, _ attempted: DurableState?) -> DurableState?

    /// What ``Fault/foreignWrite`` stores. Unless set: the stored payload again, under the next version; nothing where nothing is.
    public var foreignState: ForeignState = { stored, _ in
        guard var state = stored else { return nil }
        state.version += 1
        return state
    }

    var seed: UInt64
    private(set) var rules: [(match: Match, fault: Fault, times: Int)] = []
    private var chances: [(probability: Double, fault: Fault)] = []

    /// A plan in which nothing goes wrong yet; what is random comes from `seed`.
    public init(seed: UInt64 = 0) { self.seed = seed }

    /// The plan with one more rule in its script, which is used up after so many faults.
    public func with(_ fault: Fault, at match: Match, times: Int = 1) -> FaultPlan {
        precondition(times >= 1, "a rule that is never used is none")
        var plan = self
        plan.rules.append((match, fault, times))
        return plan
    }

    /// The plan in which any operation also meets `fault` with a probability of 0 to 1; they add up to at most 1.
    public func withRandom(_ fault: Fault, probability: Double) -> FaultPlan {
        precondition(probability >= 0, "a probability cannot be negative")
        var plan = self
        plan.chances.append((probability, fault))
        precondition(plan.chances.reduce(0) { $0 + $1.probability } <= 1.000_001, "probabilities add up to at most 1")
        return plan
    }

    /// The fault that `call` meets; `uses` counts how often each rule of the script was used.
    func fault(for call: Call, uses: inout [Int]) -> Fault? {
        if uses.count < self.rules.count {
            uses += Array(repeating: 0, count: self.rules.count - uses.count)
        }
        for (place, rule) in self.rules.enumerated() where uses[place] < rule.times && rule.match.holds(call) {
            uses[place] += 1
            return rule.fault
        }
        guard !self.chances.isEmpty else { return nil }
        let id = PersistenceID.shard(of: call.persistenceID, among: .max)
        var generator = SeededGenerator(seed: self.seed ^ id, stream: UInt64(call.numberOfID))
        var roll = Double(generator.next() >> 11) * 0x1p-53
        for chance in self.chances {
            if roll < chance.probability { return chance.fault }
            roll -= chance.probability
        }
        return nil
    }
}
