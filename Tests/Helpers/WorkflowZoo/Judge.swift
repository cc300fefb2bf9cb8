internal import PerdureModel
package import PerdureWorkflow

/// Says what is wrong with runs of the zoo, by the model, and by what witnesses saw.
package enum Judge {
    // MARK: One run

    /// A run and those that it started, as they are in the end: what is wrong with them, and what a witness would say of them.
    package struct Look: Sendable {
        package var runs: [RunSnapshot]
        package var violations: [String] = []

        package init(_ runs: [RunSnapshot], violations: [String] = []) {
            self.runs = runs
            self.violations = violations
        }

        /// For ``violations(in:)``: whatever was acknowledged must be there.
        package var lines: [String] {
            self.runs.flatMap { run -> [String] in
                let (id, progress) = (run.run.id, run.run.progress)
                return [
                    "seen \(id) \(progress.revision) \(progress.fence)", Witness.held(run),
                    "end \(id) \(progress.revision)",
                    "kept \(id) \(run.steps.compactMap { Judge.mark(of: $0.id, in: run) }.joined(separator: " "))",
                ]
            }
        }
    }

    /// Looks at a run that has ended.
    package static func look(
        at animal: Animal, _ number: Int, in store: some RunStore
    ) async throws(StoreError) -> Look {
        let id = Keeper.id(of: animal, number)
        let run = try await store.snapshot(of: id)
        var children: [String: RunSnapshot] = [:]
        for step in animal.children { children[step] = try await store.snapshot(of: "\(id)/\(step)") }
        return Look(
            [run].compactMap { $0 } + children.values,
            violations: Self.violations(of: run, animal, number, children: children))
    }

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
        for run in [run] + children.values { violations += Self.leftovers(of: run) }
        violations += Self.wrongAttempts(in: run, animal) + Self.wrongSignals(in: run, animal)
        if let rest = animal.rest { violations += Self.shortSleep(in: run, rest) }
        return violations
    }

    /// What a run that is over still has to do.
    private static func leftovers(of run: RunSnapshot) -> [String] {
        let id = run.run.id
        guard run.run.status.isEnded else { return ["\(id) is \(run.run.status.rawValue)"] }
        let owned = run.run.progress.owner != nil ? ["\(id) has ended and is still owned"] : []
        return owned
            + run.steps.filter { !$0.status.isEnded }.map { "\(id) has ended, and \($0.id) is \($0.status.rawValue)" }
    }

    /// Failed attempts that were not counted, or were one too many.
    private static func wrongAttempts(in run: RunSnapshot, _ animal: Animal) -> [String] {
        animal.attempts.sorted { $0.key < $1.key }.compactMap { step, expected in
            let found = run.steps.first { $0.id == step }?.attempt ?? 0
            return found == expected ? nil : "\(run.run.id)/\(step) must be attempted \(expected) times, not \(found)"
        }
    }

    /// Signals that were taken twice, by the wrong step or by nobody.
    private static func wrongSignals(in run: RunSnapshot, _ animal: Animal) -> [String] {
        guard case .signals = animal.visit else { return [] }
        let taken = run.messages.map { "\($0.id) by \($0.consumedBy ?? "nobody")" }
        let expected = Animal.signals.map { "\($0.id) by \($0.step)" }
        return taken == expected ? [] : ["\(run.run.id): signals must be taken \(expected), and are \(taken)"]
    }

    /// A step that began before the sleep before it was over.
    private static func shortSleep(in run: RunSnapshot, _ rest: Animal.Rest) -> [String] {
        guard let begin = run.steps.first(where: { $0.id == rest.step })?.startedAt,
            let end = run.steps.first(where: { $0.id == rest.next })?.startedAt
        else { return ["\(run.run.id): nobody knows how long it slept"] }
        return end - begin >= rest.milliseconds
            ? [] : ["\(run.run.id): \(rest.step) must take \(rest.milliseconds) ms, and took \(end - begin)"]
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
    static func mark(of step: String, in run: RunSnapshot) -> String? {
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
}
