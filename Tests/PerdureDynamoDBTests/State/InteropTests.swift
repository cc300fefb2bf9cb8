import Processes
import Testing

@testable import PerdureDynamoDB

/// The clients of other languages, as `Tests/Interop/dynamodb/prepare` finds or installs them.
enum Interop {
    static let python = Self.programs["PYTHON"].map { "\($0) \(Self.folder)/exchange.py" }
    static let pythonOnRuns = Self.programs["PYTHON"].map { "\($0) \(Self.folder)/runs.py" }
    static let go = Self.programs["GO"]
    static let linter = Shell.programs(preparedBy: "dynamodb/prepare --lint")["LINT"]
    /// The server with certificates.
    static let server = Shell.programs(preparedBy: "dynamodb/prepare --tls")["TLS"]

    private static let folder = Shell.root + "/Tests/Interop/dynamodb"

    private static let programs = TestServer.url == nil ? [:] : Shell.programs(preparedBy: "dynamodb/prepare")
}

@Suite("Other languages", .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"))
struct InteropTests {
    private static func exchange(_ program: String, reads ids: [String], _ check: ([DurableState?]) -> Void)
        async throws
    {
        try await TestServer.withTable { store in
            let configuration = store.configuration
            func run(_ action: String) async throws -> Shell.Outcome {
                try await Shell.run(
                    "\(program) \(action) \(configuration.endpoint ?? "") \(configuration.region ?? "") \(configuration.table) 2>&1"
                )
            }
            let write = try await run("write")
            #expect(write.status == 0, "\(write.output)")
            var states: [DurableState?] = []
            for id in ids { states.append(try await store.latestState(of: id)) }
            check(states)

            let ours = DurableState(
                persistenceID: "swift-42", version: 9,
                payload: StatePayload(manifest: "google.protobuf.Any", bytes: ForeignItemTests.anyPayload),
                timestamp: 1_700_000_000_123, shard: 5)
            try await store.write(ours, if: .absent)
            var gone = ours
            gone.persistenceID = "swift-gone"
            try await store.write(gone, if: .absent)
            try await store.delete("swift-gone", if: .version(9))
            let read = try await run("check")
            #expect(read.status == 0, "\(read.output)")
        }
    }

    @Test(
        "Python's boto3 and the store read each other", .enabled(if: Interop.python != nil, "needs Python with boto3"))
    func python() async throws {
        try await Self.exchange(Interop.python ?? "", reads: ["python-42", "python-old"]) { states in
            #expect(states[0]?.version == 7 && states[0]?.shard == 3 && states[0]?.timestamp == 1_700_000_000_123)
            #expect(
                states[0]?.payload == StatePayload(manifest: "google.protobuf.Any", bytes: ForeignItemTests.anyPayload))
            #expect(states[1]?.version == 0 && states[1]?.payload.bytes == [0, 255])
            #expect(states[1]?.timestamp == 1_700_000_000_000)
        }
    }

    @Test("aws-sdk-go-v2 and the store read each other", .enabled(if: Interop.go != nil, "needs Go"))
    func go() async throws {
        try await Self.exchange(Interop.go ?? "", reads: ["go-42"]) { states in
            #expect(states[0]?.version == 7 && states[0]?.timestamp == 0)
            #expect(states[0]?.payload.bytes == ForeignItemTests.anyPayload)
        }
    }
}
