/// Says whether a history can be explained: whether every operation can have happened at one moment between its beginning and its
/// end, so that an ideal store would have given the same answers.
///
/// The search of Wing and Gong with Lowe's memory of what was tried. Operations of unknown outcome may have happened at any moment
/// after they began, or never.
public struct LinearizabilityChecker: Sendable {
    /// What the search came to.
    public enum Verdict: Sendable, Hashable {
        /// There is an explanation.
        case linearizable
        /// There is none. `explained` operations are the most that could be put in an order; what they left open is `stuckAt`.
        case impossible(explained: Int, stuckAt: [StateHistory.Operation])
        /// The search was given up after as many steps as were allowed.
        case undecided
    }

    /// How many steps a search may take, at least 1.
    public var maximumSteps: Int

    /// A checker whose searches take at most so many steps; 2 million unless said.
    public init(maximumSteps: Int = 2_000_000) {
        precondition(maximumSteps >= 1, "a search takes at least 1 step")
        self.maximumSteps = maximumSteps
    }

    /// Searches an explanation of `history` for an ID that held nothing at first.
    public func verdict(on history: StateHistory) -> Verdict {
        // What says that it did and saw nothing proves nothing.
        let operations = history.operations.filter { $0.answer != .notApplied }.sorted { $0.began < $1.began }
        var search = Search(operations)
        return search.run(steps: self.maximumSteps)
    }

    /// Which operations happened already, and what the store holds then.
    private struct Place: Hashable {
        var done: Set<Int>
        var model: RegisterModel
    }

    private struct Search {
        let operations: [StateHistory.Operation]
        private var seen: Set<Place> = []
        private var best = 0
        private var bestOpen: [Int] = []

        init(_ operations: [StateHistory.Operation]) { self.operations = operations }

        mutating func run(steps: Int) -> Verdict {
            let certain = Set(self.operations.indices.filter { self.operations[$0].answer != .unknown })
            var stack = [Place(done: [], model: RegisterModel())]
            var steps = steps
            while let place = stack.popLast() {
                if certain.isSubset(of: place.done) { return .linearizable }
                steps -= 1
                if steps < 0 { return .undecided }
                let open = self.candidates(after: place.done)
                if place.done.count >= self.best {
                    (self.best, self.bestOpen) = (place.done.count, open)
                }
                // The last one pushed is tried first: what began first.
                for index in open.reversed() {
                    guard let model = self.model(after: self.operations[index], place.model) else { continue }
                    let next = Place(done: place.done.union([index]), model: model)
                    if self.seen.insert(next).inserted { stack.append(next) }
                }
            }
            return .impossible(explained: self.best, stuckAt: self.bestOpen.map { self.operations[$0] })
        }

        /// The operations that may happen next: those that began before any open one had ended.
        private func candidates(after done: Set<Int>) -> [Int] {
            var firstEnd = UInt64.max
            var candidates: [Int] = []
            for (index, operation) in self.operations.enumerated() {
                if operation.began > firstEnd { break }
                if done.contains(index) { continue }
                candidates.append(index)
                if operation.answer != .unknown { firstEnd = min(firstEnd, operation.ended) }
            }
            return candidates.filter { self.operations[$0].began <= firstEnd }
        }

        /// What the store holds after the operation, or nil when it would have answered something else.
        private func model(after operation: StateHistory.Operation, _ model: RegisterModel) -> RegisterModel? {
            var model = model
            let answer = model.answer(operation.request)
            switch (operation.answer, answer) {
            // That it happened without an effect is the same as that it never happened.
            case (.unknown, .conflict), (.unknown, .found): return nil
            case (.unknown, _): return model
            case let (told, ideal): return told == ideal ? model : nil
            }
        }
    }
}
