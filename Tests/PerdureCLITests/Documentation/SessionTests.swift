import FoundationEssentials
import Glibc
import PerdureModel
import PerdureState
import PerdureStores
import PerdureWorkflow
import Testing

@Suite("The session in the documentation")
struct SessionTests {
    /// What is typed. Everything in it comes out the same every time: data and times are those of ``makeData(in:)``.
    private static let lines = [
        "export PERDURE_STORE=sqlite:bank.sqlite",
        "perdure state list --prefix a",
        "perdure state get ada",
        "perdure state put ada --if-version 1 < new.json",
        "perdure state put ada --if-version 1 < new.json",
        "perdure run list --status FAILED,RUNNING",
        "perdure run show order-7",
        "perdure run graph order-8",
        "perdure run stats",
        "perdure run cancel order-9 --reason 'customer withdrew'",
        "perdure store setup --store sqlite:copy.sqlite",
        "perdure store copy sqlite:bank.sqlite sqlite:copy.sqlite",
        "perdure state list --count --json --store sqlite:copy.sqlite",
        "perdure state lst",
    ]

    private static let page =
        #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined() + "/Documentation/tool.md"
    private static let begin = "<!-- session -->\n"
    private static let end = "<!-- end of session -->\n"

    @Test("is what comes out") func isCurrent() async throws {
        try await withFolder { folder in
            try await self.makeData(in: folder)
            let script = Self.lines.map { line in
                "printf '%s\\n' \"\\$ \"\(self.quoted(line)); \(line) 2>&1"
            }.joined(separator: "\n")
            let run = try await ToolProcess.shell("perdure() { \"$perdure\" \"$@\"; }\n\(script)\ntrue", in: folder)
            try #require(run.status == 0 && run.errors == "", "\(run.errors)")
            let session = "```console\n\(run.output)```\n"
            let page = try String(decoding: Data(contentsOf: URL(filePath: Self.page)), as: UTF8.self)
            let begin = try #require(page.firstRange(of: Self.begin)?.upperBound)
            let end = try #require(page.firstRange(of: Self.end)?.lowerBound)
            if getenv("PERDURE_WRITE_SESSION") != nil {
                let text = page[..<begin] + session + page[end...]
                try Data(text.utf8).write(to: URL(filePath: Self.page))
            } else {
                #expect(page[begin..<end] == session, "the session is not current; script/session makes it again")
            }
        }
    }

    private func quoted(_ line: String) -> String {
        "'" + line.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private func makeData(in folder: String) async throws {
        let url = "sqlite:\(folder)/bank.sqlite"
        let store = try ChosenStore(StoreURL(url))
        try await store.setup()
        let start: Int64 = 1_767_225_600_000
        for (place, (id, balance)) in [("ada", 30), ("alan", 4), ("barbara", 120)].enumerated() {
            let payload = StatePayload(manifest: "json:Account:1", bytes: Array("{\"balance\":\(balance)}".utf8))
            let state = DurableState(
                persistenceID: id, version: 1, payload: payload, timestamp: start + Int64(place) * 61_000, shard: 0)
            try await store.states.write(state, if: .absent)
        }
        try Data("{\"balance\":45}".utf8).write(to: URL(filePath: "\(folder)/new.json"))
        let runs = try #require(store.runs)
        let steps: [(String, StepStatus, Int64, Int64?)] = [
            ("reserve", .completed, 12, 40), ("charge", .completed, 41, 900), ("pack", .completed, 41, 7_350),
            ("ship", .completed, 7_351, 7_900),
        ]
        func create(_ id: String, _ status: RunStatus, _ count: Int, at time: Int64) async throws {
            var request = RunRequest(
                id: id, workflow: "fulfil-order", version: "1",
                input: RunValue(bytes: Array("{\"item\":\"tea\"}".utf8)),
                createdAt: time)
            request.resourceID = "customer-42"
            var progress = RunProgress(status: status, definitionHash: 1, wake: .never, at: time)
            progress.startedAt = time + 12
            progress.progress = Double(status == .failed ? count - 1 : count) / 4
            var records = steps.prefix(count).enumerated().map { place, step in
                var record = StepRecord(id: step.0, position: place, definitionHash: UInt64(place), status: step.1)
                record.attempt = 1
                record.startedAt = time + step.2
                record.completedAt = step.3.map { time + $0 }
                record.output = RunValue(bytes: Array("true".utf8))
                return record
            }
            if status == .failed {
                let failure = RunFailure(
                    .executionFailed, message: "card refused", type: "BankError", step: "charge", attempt: 4)
                records[1].attempt = 4
                records[1].startedAt = time + 14_041
                records[1].completedAt = time + 14_300
                records[1].status = .failed
                records[1].failure = failure
                records[1].output = nil
                progress.failure = failure
                progress.completedAt = time + 14_300
            }
            if status == .completed { progress.completedAt = time + 7_900 }
            let creation = RunCreation(request: request, progress: progress, steps: records)
            guard case .created = try await runs.create(creation) else { return }
        }
        try await create("order-7", .failed, 2, at: start)
        try await create("order-8", .completed, 4, at: start + 60_000)
        try await create("order-9", .running, 1, at: start + 90_000)
        await store.disconnect()
    }
}
