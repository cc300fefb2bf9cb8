import FoundationEssentials
import PerdureModel
import PerdureWorkflow
import Processes
import Testing
import WorkflowZoo

@testable import PerdureSQLite

/// A process that drives a run is ended at every single write, before it and after it; another one goes on.
///
/// The run then ends as without the crash, what is recorded stays as it is, and no step runs again of which the result is recorded.
@Suite(.timeLimit(.minutes(10))) struct RunCrashPointTests {
    /// How the process ends. The numbers are the child's.
    enum Ending: Int, CustomTestStringConvertible {
        case killedBefore = 1
        case killedInTheMiddle = 2
        case killedAfter = 3
        case powerLost = 4
        case powerLostUnevenly = 5
        case beforeWrite = 11
        case afterWrite = 12

        static let ofFiles: [Ending] = [
            .killedBefore, .killedInTheMiddle, .killedAfter, .powerLost, .powerLostUnevenly,
        ]

        var testDescription: String { "\(self)" }

        /// Where the power fails, the file shrinks below those who read it, and some are hit before the rest.
        var signals: [Int32] { self == .powerLost || self == .powerLostUnevenly ? [9, 7] : [9] }
    }

    /// What an enumeration has found.
    private struct Findings {
        var points = 0
        var violations: [String] = []
    }

    @Test("at each write of the store, before it and after it") func writes() async throws {
        let found = try await self.enumerate(Zoo.names.map { ($0, [.beforeWrite, .afterWrite]) })
        #expect(found.allSatisfy { $0.points >= 6 })
    }

    @Test("at each call by which SQLite changes its files") func files() async throws {
        let found = try await self.enumerate(Ending.ofFiles.map { ("signal", [$0]) })
        #expect(found.allSatisfy { $0.points >= 30 })
    }

    /// Ends processes that drive these animals' runs in these ways, some side by side.
    private func enumerate(_ tasks: [(animal: String, endings: [Ending])]) async throws -> [Findings] {
        let found = try await withThrowingTaskGroup(of: Findings.self) { group in
            var found: [Findings] = []
            for (number, task) in tasks.enumerated() {
                if number >= 4, let one = try await group.next() { found.append(one) }
                group.addTask { try await self.enumerate(task.animal, task.endings) }
            }
            for try await one in group { found.append(one) }
            return found
        }
        let points = found.reduce(0) { $0 + $1.points }
        let violations = found.flatMap(\.violations)
        print("crash points of runs, altogether: \(points) points, \(violations.count) violations")
        #expect(violations.isEmpty, "\(violations.prefix(10))")
        return found
    }

    private func enumerate(_ animal: String, _ endings: [Ending]) async throws -> Findings {
        var findings = Findings()
        try await withTemporaryFolder { folder in
            let template = folder + "/template.sqlite"
            let store = try SQLiteStore(template)
            try await store.setup()
            await store.disconnect()
            for ending in endings {
                // Bounded: a run has some dozens of points. Where much is wrong, more of it tells nothing new.
                for point in 1..<1_000 where findings.violations.count < 5 {
                    let trial = try CrashTrial(animal, ending, point, template: template)
                    defer { trial.remove() }
                    let (isOver, found) = try await trial.violations()
                    findings.violations += found.map { "\(animal), \(ending) \(point): \($0)" }
                    if isOver { break }
                    findings.points += 1
                }
            }
        }
        let how = endings.map(\.testDescription).joined(separator: ", ")
        print(
            "crash points of \(animal), \(how): \(findings.points) points, \(findings.violations.count) violations")
        return findings
    }
}

/// One run, one point, one end of its process.
private struct CrashTrial {
    private let animal: String
    private let ending: RunCrashPointTests.Ending
    private let point: Int
    private let folder: String

    init(_ animal: String, _ ending: RunCrashPointTests.Ending, _ point: Int, template: String) throws {
        self.animal = animal
        self.ending = ending
        self.point = point
        self.folder = FileManager.default.temporaryDirectory.path + "/perdure-crash-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: self.folder + "/store", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: template, toPath: self.folder + "/store/runs.sqlite")
    }

    func remove() { try? FileManager.default.removeItem(atPath: self.folder) }

    private var path: String { self.folder + "/store/runs.sqlite" }

    private func child(_ ledger: String, as worker: String, _ point: Int, _ mode: Int) async throws -> ChildProcess {
        try await ChildProcess.crashChild(
            ["run", self.path, "\(point)", "\(mode)", self.animal, "\(self.folder)/\(ledger)", worker])
    }

    /// Whether the process came to its end before the point was reached, and what is wrong.
    func violations() async throws -> (isOver: Bool, violations: [String]) {
        let first = try await self.child("ledger1", as: "pod-1", self.point, self.ending.rawValue)
        if !first.isFinished, !self.ending.signals.contains(first.signal ?? 0) {
            return (false, ["the child ended with \(first)"])
        }
        let told = Ledger(self.folder + "/ledger1").lines
        // Looking would mend the file: that is the next process's business.
        try FileManager.default.copyItem(atPath: self.folder + "/store", toPath: self.folder + "/look")
        let before = try await Self.runs(in: self.folder + "/look/runs.sqlite")
        var violations = self.losses(in: before, first.lines, told)

        // Now of the same name, now a stranger who finds out that the first is gone.
        let worker = self.point % 2 == 0 ? "pod-1" : "pod-2"
        let second = try await self.child("ledger2", as: worker, 0, 0)
        if !second.isFinished { violations.append("the next process ended with \(second)") }
        violations += first.violations + second.violations
        let later = Ledger(self.folder + "/ledger2").lines
        let after = try await Self.runs(in: self.path)
        violations += Judge.reruns(after: before, in: later)
        violations += Judge.violations(in: told + later + Judge.Look(after).lines)
        for run in before {
            violations += Judge.changes(of: run, to: after.first { $0.run.id == run.run.id })
        }
        let zoo = Zoo(Witness(name: "judge") { _ in })
        guard let animal = zoo.animal(self.animal) else { return (true, ["there is no \(self.animal)"]) }
        var children: [String: RunSnapshot] = [:]
        for run in after { if let parent = run.run.request.parent { children[parent.step] = run } }
        violations += Judge.violations(
            of: after.first { $0.run.id == Keeper.id(of: animal, 5) }, animal, 5, children: children)
        return (first.isFinished, violations + (try self.damage()))
    }

    /// What the first process was told, and is not there.
    private func losses(in runs: [RunSnapshot], _ lines: [String], _ told: [String]) -> [String] {
        var violations: [String] = []
        if lines.contains("started"), runs.isEmpty { violations.append("a run was started, and is not there") }
        for line in told {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4, ["took", "stored"].contains(words[0]), let revision = UInt64(words[2]) else {
                continue
            }
            let stored = runs.first { $0.run.id == words[1] }?.run.progress.revision ?? 0
            if stored < revision { violations.append("acknowledged and lost: \(line); it has revision \(stored)") }
        }
        return violations
    }

    private func damage() throws -> [String] {
        let connection = try SQLiteConnection(self.path, .readWrite(create: false))
        defer { connection.close() }
        let verdict = try connection.text("PRAGMA integrity_check") ?? "nothing"
        return verdict == "ok" ? [] : ["integrity check: \(verdict)"]
    }

    private static func runs(in path: String) async throws -> [RunSnapshot] {
        let store = try SQLiteStore(path)
        let page = try await store.runs(where: RunFilter(), after: nil, limit: 100, now: 0)
        var runs: [RunSnapshot] = []
        for run in page.runs { if let run = try await store.snapshot(of: run.id) { runs.append(run) } }
        await store.disconnect()
        return runs
    }
}
