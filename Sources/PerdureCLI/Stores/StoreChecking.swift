internal import PerdureState
internal import PerdureStores
internal import PerdureTestKit

/// Whether a store keeps its promises.
enum StoreChecking {
    static let check = Command(
        "store check", "Sees whether the store keeps its promises, and prints the checklist",
        discussion: """
            Runs the published promise suites on the store: that of states, and that of runs where it keeps them. They write under IDs,
            workflow names and worker names of their own and remove everything again; what else is stored is not touched.
            """,
        options: [
            .init("only", "the promises of one contract", choices: ["states", "runs"]),
            .init("seed", value: "N", "where everything random comes from; a report names its seed"),
            .init("quick", "look less thoroughly: small payloads, one round"),
        ],
        examples: [
            .init(
                "perdure store check --store sqlite:bank.sqlite", "the checklists; ends with 1 if a promise is broken")
        ]
    ) { call in
        let url = try call.storeURL()
        let keepsRuns = try url.store().runs != nil
        if call.option("only") == "runs", !keepsRuns { throw Misuse("runs are not kept on \(url.kind.title)") }
        let seed = try call.number("seed", in: 0...UInt64.max) ?? .random(in: 0...UInt64.max)
        let settings =
            call.has("quick")
            ? PromiseSettings(seed: seed, largestPayload: 1 << 16, rounds: 1) : PromiseSettings(seed: seed)
        var reports: [PromiseReport] = []
        if call.option("only") != "runs" {
            let fixture = StateStoreFixture(url.kind.rawValue) { try url.store().states }
            reports.append(await StatePromises.verify(fixture, settings: settings))
            Self.write(reports[0], to: call.output)
        }
        if call.option("only") != "states", keepsRuns {
            let fixture = RunStoreFixture(
                "\(url.kind.rawValue), runs", makeStore: { try Self.runs(of: url) },
                makeSecondStore: { _ in try Self.runs(of: url) })
            try Task.checkCancellation()
            let report = await RunPromises.verify(fixture, settings: settings)
            if !reports.isEmpty, !call.output.isJSON { call.output.line() }
            Self.write(report, to: call.output)
            reports.append(report)
        }
        return reports.allSatisfy(\.isKept) ? .done : .failed
    }

    private static func runs(of url: StoreURL) throws -> any RunStore {
        guard let runs = try url.store().runs else { throw Misuse("runs are not kept on \(url.kind.title)") }
        return runs
    }

    private static func write(_ report: PromiseReport, to output: Output) {
        if !output.isJSON {
            output.line("\(report)")
        } else {
            for entry in report.entries {
                output.json([
                    ("contract", .string(report.contract.rawValue)), ("number", .number(entry.number)),
                    ("name", .string(entry.name)), ("verdict", .string(entry.verdict.word)),
                    ("microseconds", .number(entry.microseconds)),
                ])
            }
        }
        output.flush()
    }
}

extension PromiseVerdict {
    /// The verdict in a word, for programs.
    fileprivate var word: String {
        switch self {
        case .kept: "kept"
        case .broken: "broken"
        case .notOffered: "notOffered"
        case .notTested: "notTested"
        }
    }
}
