import CBaselines
import Glibc
import PerdureDynamoDB
import Synchronization

/// The DynamoDB store against aws-sdk-go-v2 doing the same, and against libcurl alone: on a server with fixed answers, which shows what the
/// client costs, and on DynamoDB Local, whose URL is in `PERDURE_BENCH_DYNAMODB`.
enum DynamoDBBenchmarks {
    enum Operation: String, CaseIterable, Sendable { case put, get }

    /// Where requests go.
    struct Place: Sendable {
        var endpoint: String
        var region: String
        var table: String
    }

    private static let sdk = "aws-sdk-go-v2, the same requests"
    private static let loop = "a loop in C on libcurl, the same request"

    static let all: [Benchmark] =
        perOperation { cpu($0, flight: 64, count: 40_000, "dynamodb-\($0)-cpu") }
        + perOperation { cpu($0, flight: 1, count: 8_000, "dynamodb-\($0)-alone-cpu") }
        + perOperation(local)
        + perCalling { idle($1, "idle", count: 8_000, $0, at: { try fixed() }) }
        + perCalling { idle($1, "idle-local", count: 2_000, $0, at: { try await realTable() }) }

    private static func perOperation(_ make: (Operation) -> Benchmark) -> [Benchmark] { Operation.allCases.map(make) }

    private static func perCalling(_ make: (Calling, Operation) -> Benchmark) -> [Benchmark] {
        Calling.allCases.flatMap { calling in self.perOperation { make(calling, $0) } }
    }

    private static func cpu(_ operation: Operation, flight: Int, count: Int, _ name: String) -> Benchmark {
        Benchmark(
            name, unit: "µs of CPU",
            measure: { try await perform(operation, at: fixed(), flight: flight, count: count).cpuMicroseconds },
            against: sdk,
            baseline: { try Program.sdk(operation, fixed(), flight: flight, count: count).cpuMicroseconds })
    }

    private static func local(_ operation: Operation) -> Benchmark {
        Benchmark(
            "dynamodb-\(operation)-local", unit: "operations/s",
            measure: {
                try await perform(operation, at: await realTable(), flight: 64, count: 5_000).operationsPerSecond
            }, against: sdk,
            baseline: {
                try Program.sdk(operation, await realTable(), flight: 64, count: 5_000).operationsPerSecond
            })
    }

    private static func idle(
        _ operation: Operation, _ name: String, count: Int, _ calling: Calling,
        at place: @escaping @Sendable () async throws -> Place
    ) -> Benchmark {
        Benchmark(
            "dynamodb-\(operation)-\(name)\(calling.rawValue)", unit: "µs",
            measure: {
                try await perform(operation, at: await place(), flight: 1, count: count, calling).microseconds
            },
            against: loop,
            baseline: { try bare(operation, try await place(), count: count) })
    }

    // MARK: Where

    private static func fixed() throws -> Place {
        Place(
            endpoint: "http://127.0.0.1:\(try Program.fixedServerPort())", region: "eu-central-1", table: "states_store"
        )
    }

    /// A table of DynamoDB Local that is not there yet.
    static func newTable() throws -> DynamoDBConfiguration {
        guard let url = getenv("PERDURE_BENCH_DYNAMODB").map({ String(cString: $0) }) else {
            throw BenchmarkFailure("PERDURE_BENCH_DYNAMODB is not set; script/bench starts a server and sets it")
        }
        var configuration = try DynamoDBConfiguration(url: url)
        configuration.table = "bench-\(UInt64.random(in: 0 ... .max))"
        return configuration
    }

    /// What conditional writes of states come to on DynamoDB Local.
    static func conditionalWrites(
        inFlight: Int, count: Int, size: Int
    ) async throws -> (rate: Double, cpu: Double) {
        let cost = try await self.perform(
            .put, at: await self.realTable(), flight: inFlight, count: count, size: size)
        return (cost.operationsPerSecond, cost.cpuMicroseconds)
    }

    /// A new table of DynamoDB Local with the states that are read and written.
    private static func realTable() async throws -> Place {
        let configuration = try self.newTable()
        let store = try DynamoDBStore(configuration)
        try await store.setup()
        for task in 0..<64 { try await store.write(state(task, version: 1), if: .always) }
        await store.disconnect()
        return Place(
            endpoint: configuration.endpoint ?? "", region: configuration.region ?? "", table: configuration.table)
    }

    // MARK: Ours

    private static func state(_ task: Int, version: UInt64, size: Int = 200) -> DurableState {
        DurableState(
            persistenceID: "account-\(task)", version: version,
            payload: StatePayload(manifest: "bench", bytes: [UInt8](repeating: 7, count: size)),
            timestamp: 1_700_000_000_000, shard: 1)
    }

    private static func perform(
        _ operation: Operation, at place: Place, flight: Int, count: Int, size: Int = 200,
        _ calling: Calling = .elsewhere
    ) async throws -> Program.Cost {
        var configuration = DynamoDBConfiguration(table: place.table, region: place.region)
        configuration.endpoint = place.endpoint
        configuration.credentials = .fixed(AWSCredentials(accessKeyID: "bench", secretAccessKey: "bench"))
        configuration.busyPolling = calling.busyPolling
        let store = try DynamoDBStore(configuration)
        @Sendable func one(_ task: Int, _ version: UInt64) async throws {
            switch operation {
            case .put: try await store.write(self.state(task, version: version + 1, size: size), if: .version(version))
            case .get:
                guard try await store.latestState(of: "account-\(task)") != nil else {
                    throw BenchmarkFailure("a state is missing")
                }
            }
        }
        // The first requests connect, and do not count.
        let warmUp = max(20, 640 / flight)
        _ = try await rate(of: warmUp * flight, over: flight) { task, share in
            for round in 1...UInt64(share) { try await one(task, round) }
        }
        let times = Mutex<[Double]>([])
        let before = processorSeconds()
        let rate = try await rate(of: count, over: flight, on: calling.executor(of: store)) { task, share in
            var own: [Double] = []
            own.reserveCapacity(share)
            for round in 1...UInt64(share) {
                let start = seconds()
                try await one(task, UInt64(warmUp) + round)
                own.append(seconds() - start)
            }
            let mine = own
            times.withLock { $0 += mine }
        }
        let used = processorSeconds() - before
        await store.disconnect()
        let taken = times.withLock { $0 }
        return Program.Cost(
            cpuMicroseconds: used * 1e6 / Double(taken.count), operationsPerSecond: rate,
            microseconds: taken.median * 1e6)
    }

    // MARK: libcurl alone

    /// The same bytes, as near as can be, without signing, without parsing, and without a thread in between.
    private static func bare(_ operation: Operation, _ place: Place, count: Int) throws -> Double {
        // 200 times the byte 7.
        let payload = String(repeating: "BwcH", count: 66) + "Bwc="
        let key = #"{"PersistenceID":{"S":"account-0"}}"#
        let body =
            switch operation {
            case .get: #"{"TableName":"\#(place.table)","Key":\#(key),"ConsistentRead":true}"#
            case .put:
                #"{"TableName":"\#(place.table)","Item":{"PersistenceID":{"S":"account-0"},"VersionNumber":{"N":"1"},"#
                    + #""StatePayload":{"B":"\#(payload)"},"StateManifest":{"S":"bench"},"#
                    + #""Timestamp":{"N":"1700000000000"},"ShardNumber":{"N":"1"},"#
                    + #""WriteID":{"B":"AAECAwQFBgcICQoLDA0ODw=="}},"#
                    + #""ConditionExpression":"VersionNumber = :n AND attribute_not_exists(Chunks)","#
                    + #""ExpressionAttributeValues":{":n":{"N":"1"}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}"#
            }
        let headers = [
            "Accept:", "Content-Type: application/x-amz-json-1.0",
            "X-Amz-Target: DynamoDB_20120810.\(operation == .put ? "PutItem" : "GetItem")",
            "X-Amz-Date: 20261121T120000Z",
            "Authorization: AWS4-HMAC-SHA256 Credential=bench/20261121/\(place.region)/dynamodb/aws4_request,"
                + " SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="
                + String(repeating: "0", count: 64),
        ]
        var lines: [UnsafePointer<CChar>?] = headers.map { UnsafePointer(strdup($0)) }
        defer { for line in lines { free(UnsafeMutablePointer(mutating: line)) } }
        lines.append(nil)
        let median = baseline_curl_requests(place.endpoint + "/", lines, body, Int32(count))
        guard median > 0 else { throw BenchmarkFailure("the loop in C failed") }
        return median
    }
}
