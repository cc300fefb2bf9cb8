import Testing

@testable import PerdureCQL

/// Responses, as another implementation reads them.
@Suite struct ResponseVectorTests {
    static let keys = Vector.all.map(\.key).filter { $0.hasPrefix("response.") }
    static let messages = Self.keys.filter { !$0.contains(".rows") }

    /// The one frame in `bytes`, without segments.
    static func frame(_ bytes: [UInt8]) throws -> CQLFrame {
        var decoder = CQLFrameDecoder(version: .v5)
        decoder.append(bytes)
        let frame = try decoder.next()
        return try #require(frame)
    }

    static func response(_ name: String, v4: Bool = false) throws -> CQLResponse {
        try CQLResponse(Self.frame(try Vector.bytes("response.v\(v4 ? 4 : 5).\(name)")))
    }

    static let uuid = CQLUUID(high: 0xF81D_4FAE_7DEC_41D0, low: 0xA765_00A0_C91E_6BF6)

    static let node = CQLEndpoint(address: .v4(0x7F00_0002), port: 9042)

    static let meanings: [String: CQLResponse.Message] = {
        func error(_ code: CQLServerError.Code, _ details: CQLServerError.Details = .none) -> CQLResponse.Message {
            .error(CQLServerError(code, "why", details: details))
        }
        func failures(_ version: Int) -> CQLServerError.Failures {
            version == 4
                ? CQLServerError.Failures(count: 2)
                : CQLServerError.Failures(count: 2, reasons: [.v4(0x0A00_0001): 1, .v6(0, 1): 258])
        }
        func prepared(_ version: Int) -> CQLResponse.Message {
            func column(_ name: String, _ type: CQLType) -> CQLColumn {
                CQLColumn(keyspace: "shop", table: "orders", name: name, type: type)
            }
            return .prepared(
                CQLPreparedStatement(
                    id: [UInt8](0..<16), resultMetadataID: version == 4 ? nil : [UInt8](100..<116),
                    markers: [column("shard", .bigint), column("payload", .blob), column("id", .text)],
                    partitionKeyMarkers: [2, 0], columns: [column("tags", .map(.text, .blob))]))
        }
        var all: [String: CQLResponse.Message] = [
            "v5.error.server": error(.serverError), "v5.error.protocol": error(.protocolError),
            "v5.error.credentials": error(.badCredentials), "v5.error.overloaded": error(.overloaded),
            "v5.error.bootstrapping": error(.isBootstrapping), "v5.error.truncate": error(.truncateError),
            "v5.error.cdc": error(.cdcWriteFailure), "v5.error.syntax": error(.syntaxError),
            "v5.error.unauthorized": error(.unauthorized), "v5.error.invalid": error(.invalid),
            "v5.error.config": error(.configError),
            "v5.error.casWriteUnknown": error(
                .casWriteUnknown, .casWriteUnknown(consistency: .serial, received: 1, required: 2)),
            "v5.ready": .ready, "v5.authenticate": .authenticate("org.apache.cassandra.auth.PasswordAuthenticator"),
            "v5.authChallenge": .authChallenge([1, 2]), "v5.authSuccess": .authSuccess([]),
            "v5.supported": .supported([
                "CQL_VERSION": ["3.4.7"], "COMPRESSION": ["snappy", "lz4"],
                "PROTOCOL_VERSIONS": ["3/v3", "4/v4", "5/v5"],
            ]),
            "v5.void": .void, "v5.setKeyspace": .setKeyspace("shop"), "v5.decorated": .void,
            "v5.schemaChange": .schemaChange(
                CQLSchemaChange(change: "CREATED", target: .table(keyspace: "shop", name: "orders"))),
            "v5.event.NEW_NODE": .event(.nodeAdded(Self.node)),
            "v5.event.REMOVED_NODE": .event(.nodeRemoved(Self.node)),
            "v5.event.UP": .event(.nodeUp(Self.node)), "v5.event.DOWN": .event(.nodeDown(Self.node)),
            "v5.event.keyspace": .event(.schemaChange(CQLSchemaChange(change: "DROPPED", target: .keyspace("shop")))),
            "v5.event.function": .event(
                .schemaChange(
                    CQLSchemaChange(
                        change: "CREATED", target: .function(keyspace: "shop", name: "f", arguments: ["int"])))),
        ]
        for version in [4, 5] {
            func put(_ name: String, _ message: CQLResponse.Message) { all["v\(version).\(name)"] = message }
            put("error.unavailable", error(.unavailable, .unavailable(consistency: .quorum, required: 2, alive: 1)))
            put(
                "error.writeTimeout",
                error(
                    .writeTimeout,
                    .writeTimeout(consistency: .quorum, received: 1, required: 2, type: .simple, contentions: nil)))
            put(
                "error.writeTimeout.cas",
                error(
                    .writeTimeout,
                    .writeTimeout(
                        consistency: .serial, received: 1, required: 2, type: .cas, contentions: version == 4 ? nil : 3)
                ))
            put(
                "error.readTimeout",
                error(.readTimeout, .readTimeout(consistency: .quorum, received: 2, required: 2, dataPresent: false)))
            put(
                "error.readFailure",
                error(
                    .readFailure,
                    .readFailure(
                        consistency: .quorum, received: 0, required: 2, failures: failures(version), dataPresent: true))
            )
            put(
                "error.functionFailure",
                error(.functionFailure, .functionFailure(keyspace: "shop", function: "f", arguments: ["int", "text"])))
            put(
                "error.writeFailure",
                error(
                    .writeFailure,
                    .writeFailure(
                        consistency: .quorum, received: 0, required: 2, failures: failures(version), type: .batch)))
            put("error.alreadyExists", error(.alreadyExists, .alreadyExists(keyspace: "shop", table: "orders")))
            put("error.unprepared", error(.unprepared, .unprepared([UInt8](0..<16))))
            put("prepared", prepared(version))
        }
        return all
    }()

    @Test("reads what another implementation reads", arguments: Self.messages)
    func vectors(key: String) throws {
        let response = try CQLResponse(Self.frame(try Vector.bytes(key)))
        #expect(response.message == Self.meanings[String(key.dropFirst("response.".count))])
        #expect(response.stream == (key.contains(".event.") ? -1 : 5))
        #expect(response.warnings == (key.hasSuffix(".decorated") ? ["careful", "slow"] : []))
        #expect(response.tracingID == (key.hasSuffix(".decorated") ? Self.uuid : nil))
    }

    @Test("there is a vector of every response") func complete() {
        #expect(Self.meanings.count + 4 == Self.keys.count)
    }

    static func check(_ rows: CQLRows) throws {
        var index: Int32 = 0
        for row in rows {
            #expect(try row.decode(String.self, at: 0) == "order-\(index)")
            #expect(try row.decode(Int64.self, at: 1) == Int64(index) + 1)
            let payload: [UInt8]? = try row.decode(at: 2)
            #expect(payload == (index == 0 ? nil : [UInt8](repeating: UInt8(index), count: 10)))
            #expect(try row.decode([Int32].self, at: 3) == [index, index + 1])
            let dynamic = try row.decode(CQLValue.self, at: 4)
            #expect(dynamic == .udt([.text("Main St"), .int(index)]))
            let pair = try row.withBytes(at: 5) { bytes throws(CQLProtocolError) in
                var parts = try CQLPartReader(bytes, as: row.columns?[5].type)
                return (try parts.next(CQLUUID.self), try parts.next(CQLDuration.self), try parts.next(Int8?.self))
            }
            #expect(pair.0 == Self.uuid)
            #expect(pair.1 == CQLDuration(months: 1, days: 2, nanoseconds: Int64(index)))
            #expect(pair.2 == nil)

            var reader = row.reader
            #expect(try reader.next(String.self) == "order-\(index)")
            #expect(try reader.next(Int64.self) == Int64(index) + 1)
            index += 1
        }
        #expect(index == 3)
        #expect(rows.count == 3)
    }

    @Test("rows, with and without their columns") func rows() throws {
        for v4 in [false, true] {
            guard case .rows(let rows) = try Self.response("rows", v4: v4).message else {
                Issue.record("no rows")
                return
            }
            #expect(rows.pagingState == [UInt8]("next page".utf8))
            #expect(rows.newMetadataID == nil)
            #expect(rows.columns?.map(\.name) == ["id", "version", "payload", "items", "address", "pair"])
            #expect(rows.columns?[3] == CQLColumn(keyspace: "shop", table: "orders", name: "items", type: .list(.int)))
            #expect(rows.columns?[5].type == .tuple([.uuid, .duration]))
            try Self.check(rows)
            #expect(try rows.first?.decode(Int64.self, named: "version") == 1)
        }
        guard case .rows(let full) = try Self.response("rows").message, let columns = full.columns,
            case .rows(let changed) = try Self.response("rows.changed").message,
            case .rows(let skipped) = try Self.response("rows.skipped").message
        else {
            Issue.record("no rows")
            return
        }
        #expect(changed.newMetadataID == [UInt8](100..<116))
        #expect(changed.columns == columns)
        #expect(skipped.columns == nil)
        #expect(skipped.pagingState == nil)
        try Self.check(try skipped.described(by: columns))
        #expect(throws: CQLProtocolError.self) { try skipped.described(by: []) }
        // Without columns the caller vouches for the types; a CQLValue needs them.
        #expect(try skipped.first?.decode(String.self, at: 0) == "order-0")
        #expect(throws: CQLProtocolError.self) { try skipped.first?.decode(CQLValue.self, at: 0) }
    }

    @Test("a wrong column is an error that names it") func wrongColumn() throws {
        guard case .rows(let rows) = try Self.response("rows").message else { return }
        let row = try #require(rows.first)
        #expect { try row.decode(Int32.self, at: 0) } throws: { "\($0)".contains("column 0 (id)") }
        #expect { try row.decode([UInt8].self, at: 2) } throws: { "\($0)".contains("null") }
        for index in [-1, 6, Int.max] {
            #expect(throws: CQLProtocolError.self) { try row.decode(Int64.self, at: index) }
        }
        #expect(throws: CQLProtocolError.self) { try row.decode(Int64.self, named: "nothing") }
        var reader = row.reader
        for _ in 0..<6 { _ = try reader.next(CQLValue.self) }
        #expect(throws: CQLProtocolError.self) { try reader.next(CQLValue.self) }
    }

    @Test("what strangers see holds nothing of the server's words") func description() {
        let error = CQLServerError(.syntaxError, "secret text")
        #expect(!"\(error)".contains("secret"))
        #expect(error.debugDescription.contains("secret"))
        let credentials = CQLPlainCredentials(username: "ada", password: "secret")
        var dumped = ""
        dump(credentials, to: &dumped)
        #expect(!"\(credentials) \(String(reflecting: credentials)) \(dumped)".contains("secret"))
    }
}
