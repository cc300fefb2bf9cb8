internal import PerdureModel
package import PerdureWorkflow

/// Says what is wrong with runs of the zoo, by the model, and by what witnesses saw.
package enum Judge {
    // MARK: One run

    /// What is wrong with the way in which a run has ended.
    ///
    /// `run` is nil where it is gone; `children` are the runs that it started, by their step.
    package static func violations(
        of run: RunSnapshot?, _ animal: Animal, _ number: Int, children: [String: RunSnapshot] = [:]
    ) -> [String] {
        let id = Keeper.id(of: animal, number)
        guard let run else { return ["\(id) is gone"] }
        guard let found = Self.ending(of: run) else { return ["\(id) is \(run.run.status.rawValue)"] }
        var violations: [String] = []
        let expected = animal.model(number) { path in
            let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
            let owner = parts.count == 2 ? children[parts[0]] : run
            guard let step = parts.last, let mark = owner.flatMap({ Self.mark(of: step, in: $0) }) else {
                violations.append("\(id): \(path) has no recorded result")
                return "?"
            }
            return mark
        }
        if expected != found { violations.append("\(id) must be \(expected), and is \(found)") }
        if case .completed = expected, run.run.progress.progress != 1 {
            violations.append("\(id) has come to \(run.run.progress.progress) only")
        }
        if run.run.progress.owner != nil { violations.append("\(id) has ended and is still owned") }
        return violations
    }

    /// What has changed between two looks at a run that must not: whatever was recorded stays as it was.
    package static func changes(of before: RunSnapshot, to after: RunSnapshot?) -> [String] {
        let id = before.run.id
        guard let after else { return ["\(id) was there, and is gone"] }
        var violations: [String] = []
        for step in before.steps where step.status.isEnded {
            guard let now = after.steps.first(where: { $0.id == step.id }) else {
                violations.append("\(id)/\(step.id) was recorded, and is gone")
                continue
            }
            if now.status != step.status || (try? now.output?.bytes) != (try? step.output?.bytes)
                || now.attempt != step.attempt || now.failure != step.failure
            {
                violations.append("\(id)/\(step.id) was recorded, and is another now")
            }
        }
        return violations
    }

    /// The steps that ran in `lines` although they were recorded in `before`.
    package static func reruns(after before: [RunSnapshot], in lines: [String]) -> [String] {
        let recorded = Set(
            before.flatMap { run in run.steps.filter(\.status.isEnded).map { "\(run.run.id)/\($0.id)" } })
        return lines.compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            // Names of steps may have blanks; the mark is the last word.
            guard words.first == "ran" else { return nil }
            let key = words.dropFirst().dropLast().joined(separator: " ")
            return recorded.contains(key) ? "\(key) was recorded, and ran again" : nil
        }
    }

    private static func ending(of run: RunSnapshot) -> Animal.Ending? {
        let progress = run.run.progress
        switch progress.status {
        case .completed:
            let output: Parcel? = try? progress.output?.decoded()
            return .completed(output ?? Parcel(0, trail: ["no output"]))
        case .failed: return .failed(step: progress.failure?.step ?? "", message: progress.failure?.message ?? "")
        case .cancelled: return .cancelled
        case .pending, .running, .paused, .parked: return nil
        }
    }

    /// The mark of the execution whose result is recorded.
    private static func mark(of step: String, in run: RunSnapshot) -> String? {
        guard let output = run.steps.first(where: { $0.id == step && $0.status == .completed })?.output else {
            return nil
        }
        if let parcel: Parcel = try? output.decoded() { return parcel.lastMark(of: step) }
        let parcels: [Parcel]? = try? output.decoded()
        return parcels?.first?.lastMark(of: step)
    }

    // MARK: What witnesses saw

    /// What all witnesses together saw that cannot be.
    package static func violations(in lines: [String]) -> [String] { History(lines).violations }

    /// Changes that the store has acknowledged, and executions, as lines of all processes tell them.
    package struct History {
        /// A change that somebody has been told of.
        private struct Change: Hashable {
            let revision: UInt64
            let fence: UInt64
        }

        private var changes: [String: [Change]] = [:]
        /// What somebody found in the store.
        private var sightings: [String: [Change]] = [:]
        private var told: [String] = []
        private var decisions: [String: Int] = [:]
        /// How often each idempotency key was executed.
        package private(set) var executions: [String: Int] = [:]
        /// How many changes were acknowledged.
        package private(set) var storedCount = 0
        /// How many changes were refused, as the run was somebody else's by then.
        package private(set) var refusedCount = 0
        /// How often a run was taken from the store.
        package private(set) var takenCount = 0
        private var marks: Set<String> = []
        private var doubleMarks: [String] = []

        package init(_ lines: some Sequence<String>) {
            for line in lines { self.note(line) }
        }

        private mutating func note(_ line: String) {
            let words = line.split(separator: " ").map(String.init)
            guard let kind = words.first else { return }
            switch kind {
            case "ran" where words.count >= 3:
                self.executions[words.dropFirst().dropLast().joined(separator: " "), default: 0] += 1
                if !self.marks.insert(words[words.count - 1]).inserted { self.doubleMarks.append(line) }
            case "took" where words.count == 4, "stored" where words.count == 4:
                if kind == "took" { self.takenCount += 1 } else { self.storedCount += 1 }
                guard let revision = UInt64(words[2]), let fence = UInt64(words[3]) else { return }
                self.changes[words[1], default: []].append(Change(revision: revision, fence: fence))
            case "seen" where words.count == 4:
                guard let revision = UInt64(words[2]), let fence = UInt64(words[3]) else { return }
                self.sightings[words[1], default: []].append(Change(revision: revision, fence: fence))
            case "refused": self.refusedCount += 1
            case "decided" where words.count == 2: self.decisions[words[1], default: 0] += 1
            case "violation": self.told.append(line)
            default: break
            }
        }

        /// The last change of a run that somebody was told of; 0 where there is none.
        package func lastRevision(of run: String) -> UInt64 { self.changes[run]?.map(\.revision).max() ?? 0 }

        /// Nobody was told of a change that somebody else was told of as well; and none who was fenced off changed anything after that.
        package var violations: [String] {
            var violations = self.told
            violations += self.doubleMarks.map { "two executions left one mark: \($0)" }
            for (run, changes) in self.changes {
                let sorted = changes.sorted { ($0.revision, $0.fence) < ($1.revision, $1.fence) }
                for (earlier, later) in zip(sorted, sorted.dropFirst()) where earlier.revision == later.revision {
                    violations.append("\(run): two were told that they made revision \(later.revision)")
                }
                let all = (sorted + self.sightings[run, default: []]).sorted {
                    ($0.revision, $0.fence) < ($1.revision, $1.fence)
                }
                for (earlier, later) in zip(all, all.dropFirst()) {
                    if earlier.fence > later.fence {
                        violations.append(
                            "\(run): revision \(later.revision) has fence \(later.fence), after one of \(earlier.fence)"
                        )
                    }
                }
            }
            for (key, count) in self.executions where key.hasSuffix("/pay") {
                let run = String(key.dropLast("/pay".count))
                if count > 1 + self.decisions[run, default: 0] {
                    violations.append("\(key) must run at most once, and ran \(count) times")
                }
            }
            return violations
        }
    }
}
