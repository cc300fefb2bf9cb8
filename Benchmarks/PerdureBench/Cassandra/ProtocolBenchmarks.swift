import PerdureCQL

/// What a request and a row cost by themselves: no socket, no server.
enum ProtocolBenchmarks {
    static let all: [Benchmark] = [
        Benchmark("cql-encode", unit: "ns/request") { try encode(.v4) },
        Benchmark("cql-encode-v5", unit: "ns/request") { try encode(.v5) },
        Benchmark("cql-decode", unit: "ns/row") { try decode() },
    ]

    private static let payload = [UInt8](repeating: 7, count: 200)
    private static let columns = [
        CQLColumn(name: "persistence_id", type: .text), CQLColumn(name: "version_number", type: .bigint),
        CQLColumn(name: "state_payload", type: .blob), CQLColumn(name: "state_manifest", type: .text),
        CQLColumn(name: "timestamp", type: .bigint), CQLColumn(name: "shard_number", type: .bigint),
    ]

    /// An EXECUTE of six values, a state of 200 bytes among them; in version 5 in a segment with its checksums.
    private static func encode(_ version: CQLVersion) throws -> Double {
        let statement = CQLPreparedStatement(
            id: [UInt8](repeating: 1, count: 16), resultMetadataID: [UInt8](repeating: 2, count: 16), markers: columns)
        var encoder = CQLFrameEncoder(version: version)
        try encoder.startup(CQLStartup(), stream: 0)
        encoder.flush()
        encoder.sent(encoder.unsentByteCount)
        let options = CQLQueryOptions(consistency: .localQuorum)
        return try nanoseconds(each: 500_000) { number in
            try encoder.execute(statement, options, stream: Int16(number & 0x7fff)) {
                values throws(CQLProtocolError) in
                try values.bind("account-42")
                try values.bind(Int64(number))
                try values.bind(payload)
                try values.bind("samplepb.Account")
                try values.bind(Int64(1_700_000_000_000))
                try values.bind(Int64(7))
            }
            encoder.flush()
            encoder.sent(encoder.unsentByteCount)
        }
    }

    /// A row of six columns, every one read, in answers of one row each.
    private static func decode() throws -> Double {
        let answer = Self.answer()
        var decoder = CQLFrameDecoder(version: .v4)
        var sum = 0
        let each = try nanoseconds(each: 500_000) { _ in
            decoder.append(answer)
            guard let frame = try decoder.next(), case .rows(let rows) = try CQLResponse(frame).message,
                let row = rows.first
            else { throw BenchmarkFailure("the answer has no row") }
            let id: String = try row.decode(at: 0)
            let version: Int64 = try row.decode(at: 1)
            let payload: [UInt8] = try row.decode(at: 2)
            let manifest: String = try row.decode(at: 3)
            let timestamp: Int64 = try row.decode(at: 4)
            let shard: Int64 = try row.decode(at: 5)
            sum &+=
                id.utf8.count &+ Int(version) &+ payload.count &+ manifest.utf8.count &+ Int(timestamp) &+ Int(shard)
        }
        guard sum != 0 else { throw BenchmarkFailure("nothing was read") }
        return each
    }

    /// A RESULT frame as a server sends it: one row, and no description of its columns.
    private static func answer() -> [UInt8] {
        var body = int(2) + int(4) + int(columns.count) + int(1)
        for value in [
            Array("account-42".utf8), long(5), payload, Array("samplepb.Account".utf8), long(1_700_000_000_000),
            long(7),
        ] { body += int(value.count) + value }
        return [0x84, 0, 0, 1, CQLOpcode.result.rawValue] + int(body.count) + body
    }

    private static func int(_ number: Int) -> [UInt8] {
        withUnsafeBytes(of: Int32(number).bigEndian) { Array($0) }
    }

    private static func long(_ number: Int64) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    private static func nanoseconds(each count: Int, _ body: (Int) throws -> Void) rethrows -> Double {
        let start = seconds()
        for number in 0..<count { try body(number) }
        return (seconds() - start) * 1e9 / Double(count)
    }
}
