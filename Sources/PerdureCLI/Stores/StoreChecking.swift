internal import PerdureState
internal import PerdureStores
internal import PerdureTestKit
internal import PerdureWorkflow

/// Whether a store keeps its promises.
enum StoreChecking {
    static let check = Command(
        "store check", "Sees whether the store keeps its promises, and prints the checklist",
        discussion: """
            Runs the published promise suites, that of states and that of runs, on scratch tables that it makes in the same database and removes
            again: a file beside the store's, a schema, tables of their own, or a keyspace. Making them takes the right to. With --in-place it uses
            the store's own tables, writes there under names of its own, removes everything again, and touches nothing else. A live engine may
            meanwhile take the suite's workers for dead.
            """,
        options: [
            .init("only", "the promises of one contract", choices: ["states", "runs"]),
            .init("seed", value: "N", "where everything random comes from; a report names its seed"),
            .init("thorough", "everything: payloads up to the limit, and several rounds of what is random"),
            .init(
                "jobs", letter: "j", value: "N", "how many promises at a time; 4 unless said, fewer for a small server"),
            .init("in-place", "on the store's own tables"),
        ],
        examples: [
            .init(
                "perdure store check --store sqlite:bank.sqlite", "the checklists; ends with 1 if a promise is broken"),
            .init("perdure store check --thorough --store postgres://app@db/bank", "before a new version goes live"),
        ]
    ) { call in
        let url = try call.storeURL(orMemory: true)
        // What is wrong with the URL is said before anything is made.
        _ = try url.store()
        let seed = try call.number("seed", in: 0...UInt64.max) ?? .random(in: 0...UInt64.max)
        let jobs = Int(try call.number("jobs", in: 1...64) ?? 4)
        let settings =
            call.has("thorough")
            ? PromiseSettings(seed: seed, parallelism: jobs)
            : PromiseSettings(seed: seed, largestPayload: 1 << 16, rounds: 1, parallelism: jobs)
        let scratch =
            call.has("in-place")
            ? nil : "perdure_check_" + String(UInt64.random(in: 0 ... .max), radix: 36)
        let store = try ChosenStore(url, scratch: scratch)
        let result: Result<[PromiseReport], any Error>
        do {
            if scratch != nil { try await store.setup() }
            result = .success(try await Self.verify(call, url, scratch, settings))
        } catch {
            result = .failure(error)
        }
        // Also when it was interrupted: in a task that was not.
        let removed = await Task { () async -> Result<Void, any Error> in
            do { return .success(try await store.removeScratch()) } catch { return .failure(error) }
        }.value
        if case .failure(let error) = removed {
            Output.note("perdure: the scratch tables \(scratch ?? "") could not be removed: \(error)")
        } else if Task.isCancelled {
            call.output.flush()
            let gone = scratch.map { "its scratch tables, \($0), are removed" } ?? "what it wrote is removed"
            Output.note("perdure: the check has not ended; \(gone); --seed \(seed) begins the same one anew")
        }
        return try result.get().allSatisfy(\.isKept) ? .done : .failed
    }

    private static func verify(
        _ call: Invocation, _ url: StoreURL, _ scratch: String?, _ settings: PromiseSettings
    ) async throws -> [PromiseReport] {
        var reports: [PromiseReport] = []
        if call.option("only") != "runs" {
            let fixture = StateStoreFixture(url.kind.rawValue) { try ChosenStore(url, scratch: scratch).states }
            let progress = CheckProgress("states", of: StatePromise.all.count)
            reports.append(await StatePromises.verify(fixture, settings: settings, progress: progress.show))
            progress.end()
            Self.write(reports[0], to: call.output)
        }
        try Task.checkCancellation()
        if call.option("only") != "states" {
            var fixture = RunStoreFixture("\(url.kind.rawValue), runs") { try Self.runs(of: url, scratch) }
            // No other process sees what is in memory.
            if url.kind != .memory { fixture.makeSecondStore = { _ in try Self.runs(of: url, scratch) } }
            let progress = CheckProgress("runs", of: RunPromise.all.count)
            let report = await RunPromises.verify(fixture, settings: settings, progress: progress.show)
            progress.end()
            if !reports.isEmpty, !call.output.isJSON { call.output.line() }
            Self.write(report, to: call.output)
            reports.append(report)
        }
        try Task.checkCancellation()
        return reports
    }

    private static func runs(of url: StoreURL, _ scratch: String?) throws -> any RunStore {
        guard let runs = try ChosenStore(url, scratch: scratch).runs else {
            throw Misuse("runs are not kept on \(url.kind.title)")
        }
        return runs
    }

    private static func write(_ report: PromiseReport, to output: Output) {
        if !output.isJSON {
            output.line("\(report)")
        } else {
            for line in report.jsonLines { output.line(line) }
        }
        output.flush()
    }
}

/// How far a suite is, for a person who waits.
private final class CheckProgress {
    private let line = ProgressLine()
    private let what: String
    private let count: Int
    private var done = 0
    private var broken = 0

    init(_ what: String, of count: Int) {
        self.what = what
        self.count = count
    }

    func show(_ entry: PromiseReport.Entry) {
        self.done += 1
        if case .broken = entry.verdict { self.broken += 1 }
        self.line.show("\(self.what): \(self.done) of \(self.count) promises, \(self.broken) broken")
    }

    func end() { self.line.end() }
}
