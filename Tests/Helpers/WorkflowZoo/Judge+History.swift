extension Judge {
    /// Changes that the store has acknowledged, results, and executions, as lines of all processes tell them.
    package struct History {
        /// A change that somebody has been told of, or that somebody has found.
        private struct Change: Hashable {
            let revision: UInt64
            let fence: UInt64
        }

        /// Results as of a revision.
        private struct Results {
            let revision: UInt64
            let digests: [String: String]
        }

        /// What is known of one run.
        private struct Run {
            var taken: [Change] = []
            var stored: [Change] = []
            /// What somebody found in the store.
            var seen: [Change] = []
            var recorded: [Results] = []
            var held: [Results] = []
            /// The revision that was there in the end.
            var last: UInt64?
            /// The executions whose results were given to others.
            var used: Set<String> = []
            var decisions = 0
        }

        private var runs: [String: Run] = [:]
        private var told: [String] = []
        /// How often each idempotency key was executed.
        package private(set) var executions: [String: Int] = [:]
        /// How many changes were acknowledged.
        package private(set) var storedCount = 0
        /// How many changes were refused, as the run was somebody else's by then.
        package private(set) var refusedCount = 0
        /// How often a run was taken from the store.
        package private(set) var takenCount = 0
        private var marks: Set<String> = []
        /// The executions whose results are recorded in the end.
        private var kept: Set<String> = []
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
            case "took" where words.count == 4, "stored" where words.count == 4, "seen" where words.count == 4:
                guard let revision = UInt64(words[2]), let fence = UInt64(words[3]) else { return }
                self.note(kind, Change(revision: revision, fence: fence), of: words[1])
            case "recorded" where words.count >= 3, "held" where words.count >= 3:
                guard let revision = UInt64(words[2]) else { return }
                let digests = RecordedResults(parsing: words.dropFirst(3).joined(separator: " ")).digests
                let results = Results(revision: revision, digests: digests)
                if kind == "held" {
                    self.runs[words[1], default: Run()].held.append(results)
                } else {
                    self.runs[words[1], default: Run()].recorded.append(results)
                }
            case "end" where words.count == 3: self.runs[words[1], default: Run()].last = UInt64(words[2])
            case "used" where words.count >= 3: self.runs[words[1], default: Run()].used.formUnion(words.dropFirst(2))
            case "kept": self.kept.formUnion(words.dropFirst(2))
            case "refused": self.refusedCount += 1
            case "decided" where words.count == 2: self.runs[words[1], default: Run()].decisions += 1
            case "violation": self.told.append(line)
            default: break
            }
        }

        private mutating func note(_ kind: String, _ change: Change, of run: String) {
            switch kind {
            case "took":
                self.takenCount += 1
                self.runs[run, default: Run()].taken.append(change)
            case "stored":
                self.storedCount += 1
                self.runs[run, default: Run()].stored.append(change)
            default: self.runs[run, default: Run()].seen.append(change)
            }
        }

        /// Everything that cannot be.
        package var violations: [String] {
            var violations = self.told
            violations += self.doubleMarks.map { "two executions left one mark: \($0)" }
            for (id, run) in self.runs.sorted(by: { $0.key < $1.key }) {
                violations += Self.wrongChanges(of: run, id) + Self.wrongResults(of: run, id)
                // Nothing that depends on a result begins before the result is recorded.
                guard run.last != nil else { continue }
                for mark in run.used.subtracting(self.kept).sorted() {
                    violations.append("\(id): went on from \(mark), which is recorded nowhere")
                }
            }
            for (key, count) in self.executions.sorted(by: { $0.key < $1.key }) {
                if key.hasSuffix("/never") { violations.append("\(key) ran, though its run was to end before it") }
                guard key.hasSuffix("/pay") else { continue }
                let decisions = self.runs[String(key.dropLast("/pay".count))]?.decisions ?? 0
                if count > 1 + decisions { violations.append("\(key) must run at most once, and ran \(count) times") }
            }
            return violations
        }

        /// Nobody was told of a change that somebody else was told of as well; none who was fenced off changed anything after that; who
        /// takes a run fences off everybody before; and what was acknowledged is there.
        private static func wrongChanges(of run: Run, _ id: String) -> [String] {
            var violations: [String] = []
            func sorted(_ changes: [Change]) -> [Change] {
                changes.sorted { ($0.revision, $0.fence) < ($1.revision, $1.fence) }
            }
            let acknowledged = sorted(run.taken + run.stored)
            for (earlier, later) in zip(acknowledged, acknowledged.dropFirst())
            where earlier.revision == later.revision {
                violations.append("\(id): two were told that they made revision \(later.revision)")
            }
            let all = sorted(run.taken + run.stored + run.seen)
            for (earlier, later) in zip(all, all.dropFirst()) where earlier.fence > later.fence {
                violations.append(
                    "\(id): revision \(later.revision) has fence \(later.fence), after one of \(earlier.fence)")
            }
            for taken in Set(run.taken) {
                guard let before = all.last(where: { $0.revision < taken.revision }), before.fence >= taken.fence else {
                    continue
                }
                violations.append(
                    "\(id): taken with fence \(taken.fence), which somebody had at revision \(before.revision)")
            }
            if let last = run.last, let newest = acknowledged.last, newest.revision > last {
                violations.append("\(id): revision \(newest.revision) was acknowledged, and is lost")
            }
            return violations
        }

        /// A result is recorded once, stays as it is, and is part of everything that is read later.
        private static func wrongResults(of run: Run, _ id: String) -> [String] {
            var violations: [String] = []
            var first: [String: (digest: String, revision: UInt64)] = [:]
            for results in run.recorded.sorted(by: { $0.revision < $1.revision }) {
                for (step, digest) in results.digests {
                    guard let before = first[step] else {
                        first[step] = (digest, results.revision)
                        continue
                    }
                    violations.append(
                        "\(id)/\(step): recorded with revision \(before.revision), and again with \(results.revision)")
                }
            }
            for held in run.held {
                for (step, recorded) in first where recorded.revision <= held.revision {
                    guard let digest = held.digests[step] else {
                        violations.append(
                            "\(id)/\(step): recorded with revision \(recorded.revision), and not there at \(held.revision)"
                        )
                        continue
                    }
                    if digest != recorded.digest {
                        violations.append("\(id)/\(step): recorded, and another at revision \(held.revision)")
                    }
                }
            }
            // Whatever was read must stay, also where whoever recorded it did not live to tell.
            let held = run.held.sorted { $0.revision < $1.revision }
            for (earlier, later) in zip(held, held.dropFirst()) {
                for (step, digest) in earlier.digests where first[step] == nil && later.digests[step] != digest {
                    violations.append(
                        "\(id)/\(step): a result at revision \(earlier.revision), gone or another at \(later.revision)")
                }
            }
            return violations
        }
    }
}
