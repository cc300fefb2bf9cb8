import Testing

@testable import PerdureCQL

/// Requests, byte for byte as another implementation writes them.
@Suite struct RequestVectorTests {
    static let id = [UInt8](0..<16)
    static let metadataID = [UInt8](100..<116)
    static let statement = CQLPreparedStatement(
        id: Self.id, resultMetadataID: Self.metadataID,
        markers: [CQLColumn(name: "a", type: .int), CQLColumn(name: "b", type: .text)])
    static let one = CQLPreparedStatement(
        id: Self.id, resultMetadataID: Self.metadataID, markers: [CQLColumn(name: "a", type: .int)])

    static let requests: [String: CQLRequest] = [
        "startup": .startup(CQLStartup()),
        "options": .options,
        "authResponse": .authResponse(CQLPlainCredentials(username: "cassandra", password: "secret").token),
        "register": .register([.topologyChange, .statusChange, .schemaChange]),
        "query.plain": .query("SELECT * FROM system.local", CQLQueryOptions(consistency: .one), []),
        "query.all": .query(
            "SELECT a FROM t WHERE b = ?",
            CQLQueryOptions(
                consistency: .quorum, serialConsistency: .localSerial, pageSize: 500, pagingState: [UInt8]("page".utf8),
                timestamp: 1_700_000_000_000_000, isTraced: true),
            [.int(1), .null, .unset, .text("")]),
        "query.keyspace": .query("SELECT * FROM t", CQLQueryOptions(consistency: .localQuorum, keyspace: "shop"), []),
        "prepare": .prepare("INSERT INTO t (a) VALUES (?)", keyspace: nil),
        "prepare.keyspace": .prepare("INSERT INTO t (a) VALUES (?)", keyspace: "shop"),
        "execute": .execute(Self.statement, CQLQueryOptions(consistency: .localQuorum), [.int(5), .null]),
        "execute.cas": .execute(
            Self.one, CQLQueryOptions(consistency: .localQuorum, serialConsistency: .serial, timestamp: 5), [.int(5)]),
        "batch": .batch(
            .unlogged, CQLQueryOptions(consistency: .quorum, serialConsistency: .serial, timestamp: 9),
            [.query("INSERT INTO t (a) VALUES (1)", []), .prepared(Self.statement, [.int(5), .null])]),
        "batch.keyspace": .batch(
            .logged, CQLQueryOptions(consistency: .one, keyspace: "shop"), [.prepared(Self.one, [.int(5)])]),
    ]

    static let keys = Vector.all.map(\.key).filter { $0.hasPrefix("request.") }

    @Test("writes what another implementation writes", arguments: Self.keys)
    func vectors(key: String) throws {
        let version: CQLVersion = key.hasPrefix("request.v4.") ? .v4 : .v5
        let name = String(key.dropFirst("request.v4.".count))
        let request = try #require(Self.requests[name])
        // Before STARTUP, so that version 5 comes without segments.
        var encoder = CQLFrameEncoder(version: version)
        try encoder.encode(request, stream: name == "options" ? 32767 : 7)
        let expected = try Vector.text(key)
        #expect(encoder.takeBytes().hex == expected)
    }

    @Test("there is a vector of every request in both versions") func complete() {
        #expect(Set(Self.keys.map { String($0.dropFirst("request.v4.".count)) }) == Set(Self.requests.keys))
        #expect(Self.keys.count == 23)
    }

    @Test("named values, and what only version 5 has") func fiveOnly() throws {
        var encoder = CQLFrameEncoder(version: .v5)
        try encoder.encode(
            .queryNamed(
                "Q", CQLQueryOptions(consistency: .one, nowInSeconds: 7),
                [CQLRequest.NamedValue(name: "a", value: .int(1)), CQLRequest.NamedValue(name: "b", value: .unset)]),
            stream: 1)
        let expected =
            "0500000107" + "00000023" + "00000001" + "51" + "0001" + "00000141" + "0002" + "000161" + "00000004"
            + "00000001" + "000162" + "fffffffe" + "00000007"
        #expect(encoder.takeBytes().hex == expected)

        var old = CQLFrameEncoder(version: .v4)
        for request in [
            CQLRequest.prepare("Q", keyspace: "k"), .query("Q", CQLQueryOptions(keyspace: "k"), []),
            .query("Q", CQLQueryOptions(nowInSeconds: 1), []), .batch(.logged, CQLQueryOptions(keyspace: "k"), []),
        ] {
            #expect { try old.encode(request, stream: 1) } throws: { ($0 as? CQLProtocolError)?.code == .unsupported }
        }
        #expect(old.takeBytes() == [])
    }

    @Test("what cannot be written throws and leaves nothing behind") func rollback() throws {
        var encoder = CQLFrameEncoder(version: .v4, limits: CQLLimits(sent: 2000))
        try encoder.options(stream: 1)
        let before = encoder.gatheredByteCount
        func refused(
            _ code: CQLProtocolError.Code, _ body: (inout CQLFrameEncoder) throws -> Void,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            do {
                try body(&encoder)
                Issue.record("was written", sourceLocation: sourceLocation)
            } catch {
                #expect((error as? CQLProtocolError)?.code == code, "\(error)", sourceLocation: sourceLocation)
            }
            #expect(encoder.gatheredByteCount == before, sourceLocation: sourceLocation)
        }
        refused(.limitExceeded) { try $0.query(String(repeating: "x", count: 3000), stream: 2) }
        refused(.valueMismatch) {
            try $0.execute(Self.one, stream: 2) { values throws(CQLProtocolError) in try values.bind("text") }
        }
        refused(.valueMismatch) { try $0.execute(Self.one, stream: 2) }
        refused(.valueMismatch) {
            try $0.execute(Self.one, stream: 2) { values throws(CQLProtocolError) in
                try values.bind(Int32(1))
                try values.bind(Int32(1))
            }
        }
        refused(.valueMismatch) {
            try $0.query("Q", stream: 2) { values throws(CQLProtocolError) in
                try values.bind(Int32(1))
                try values.bind(Int32(1), to: "a")
            }
        }
        refused(.valueMismatch) { try $0.query("Q", CQLQueryOptions(serialConsistency: .quorum), stream: 2) }
        refused(.valueMismatch) { try $0.query("Q", CQLQueryOptions(timestamp: -1), stream: 2) }
        refused(.limitExceeded) {
            try $0.startup(CQLStartup(driverName: String(repeating: "x", count: 65536)), stream: 0)
        }
        refused(.limitExceeded) {
            try $0.batch(.logged, stream: 2) { batch throws(CQLProtocolError) in
                for _ in 0..<65536 { try batch.add("") }
            }
        }
        // After all that the encoder still works.
        try encoder.execute(Self.one, stream: 2) { values throws(CQLProtocolError) in try values.bind(Int32(1)) }
        #expect(encoder.gatheredByteCount > before)
    }
}
