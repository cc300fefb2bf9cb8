import Testing

@testable import PerdureCQL

@Suite struct StatementTests {
    typealias Cache = CQLStatementCache<String>
    static let insert = Cache.Key("INSERT …", keyspace: "shop")

    static func statement(_ id: UInt8, _ types: [CQLType] = [.int]) -> CQLPreparedStatement {
        CQLPreparedStatement(id: [id], markers: types.map { CQLColumn(name: "m", type: $0) })
    }

    static func unprepared(_ id: UInt8) -> CQLResponse.Message {
        .error(CQLServerError(.unprepared, "", details: .unprepared([id])))
    }

    // MARK: The cache

    @Test("texts that only look the same are different statements") func bytes() {
        var cache = Cache()
        #expect(cache.statement(Cache.Key("SELECT 'e\u{301}'"), for: "a") == .prepare)
        #expect(cache.statement(Cache.Key("SELECT '\u{E9}'"), for: "b") == .prepare)
        #expect(cache.statement(Cache.Key("SELECT '\u{E9}'"), for: "c") == .wait)
    }

    @Test("a statement is prepared once, however many ask") func singleFlight() {
        var cache = Cache()
        #expect(cache.statement(Self.insert, for: "a") == .prepare)
        #expect(cache.statement(Self.insert, for: "b") == .wait)
        #expect(cache.statement(Cache.Key("INSERT …"), for: "c") == .prepare)
        let statement = Self.statement(1)
        #expect(cache.prepared(Self.insert, statement) == ["a", "b"])
        #expect(cache.statement(Self.insert, for: "d") == .ready(statement))
        #expect(cache.failed(Cache.Key("INSERT …")) == ["c"])
        #expect(cache.failed(Cache.Key("INSERT …")) == [])
        #expect(cache.statement(Cache.Key("INSERT …"), for: "e") == .prepare)
    }

    @Test("a forgotten statement is prepared again, once") func forgotten() {
        var cache = Cache()
        _ = cache.statement(Self.insert, for: "a")
        _ = cache.prepared(Self.insert, Self.statement(1))
        #expect(cache.forgotten(Self.insert, id: [1], for: "b") == .prepare)
        #expect(cache.forgotten(Self.insert, id: [1], for: "c") == .wait)
        #expect(cache.prepared(Self.insert, Self.statement(2)) == ["b", "c"])
        // One that executed the old ID comes late: the new one is there.
        #expect(cache.forgotten(Self.insert, id: [1], for: "d") == .ready(Self.statement(2)))
    }

    @Test("columns that changed are kept") func changed() {
        var cache = Cache()
        _ = cache.statement(Self.insert, for: "a")
        _ = cache.prepared(Self.insert, Self.statement(1))
        let columns = [CQLColumn(name: "x", type: .text)]
        cache.changed(Self.insert, id: [2], columns: [], metadataID: [8])
        cache.changed(Self.insert, id: [1], columns: columns, metadataID: [9])
        var expected = Self.statement(1)
        expected.columns = columns
        expected.resultMetadataID = [9]
        #expect(cache.statement(Self.insert, for: "b") == .ready(expected))
    }

    @Test("those not used for longest go first, those being prepared never") func capacity() {
        var cache = Cache(capacity: 2)
        for text in ["a", "b"] {
            _ = cache.statement(Cache.Key(text), for: "")
            _ = cache.prepared(Cache.Key(text), Self.statement(1))
        }
        _ = cache.statement(Cache.Key("a"), for: "")
        _ = cache.statement(Cache.Key("c"), for: "")
        _ = cache.prepared(Cache.Key("c"), Self.statement(3))
        #expect(cache.count == 2)
        #expect(cache.statement(Cache.Key("a"), for: "") == .ready(Self.statement(1)))
        #expect(cache.statement(Cache.Key("b"), for: "") == .prepare)
        #expect(cache.statement(Cache.Key("d"), for: "") == .prepare)
        #expect(cache.prepared(Cache.Key("b"), Self.statement(2)) == [""])
        #expect(cache.prepared(Cache.Key("d"), Self.statement(4)) == [""])
    }

    // MARK: One execution

    @Test("executes, and prepares again where the node forgot") func reprepare() {
        var machine = CQLExecutionMachine(Self.statement(1))
        #expect(machine.start() == .execute(Self.statement(1)))
        #expect(machine.received(.void) == .succeed(.void, changed: false))

        machine = CQLExecutionMachine(Self.statement(1))
        _ = machine.start()
        #expect(machine.received(Self.unprepared(1)) == .prepare)
        #expect(machine.received(.prepared(Self.statement(2))) == .execute(Self.statement(2)))
        #expect(machine.received(.void) == .succeed(.void, changed: true))
        #expect(machine.statement == Self.statement(2))
    }

    @Test("a node that forgets for ever is given up") func forgetful() {
        var machine = CQLExecutionMachine(Self.statement(1))
        _ = machine.start()
        for _ in 0..<2 {
            #expect(machine.received(Self.unprepared(1)) == .prepare)
            #expect(machine.received(.prepared(Self.statement(1))) == .execute(Self.statement(1)))
        }
        guard case .fail(.server(let error)) = machine.received(Self.unprepared(1)) else {
            Issue.record("did not give up")
            return
        }
        #expect(error.code == .unprepared)
    }

    @Test("values made for other markers are not sent") func otherMarkers() {
        var machine = CQLExecutionMachine(Self.statement(1))
        _ = machine.start()
        _ = machine.received(Self.unprepared(1))
        guard case .fail(.unreadable) = machine.received(.prepared(Self.statement(1, [.text]))) else {
            Issue.record("did not fail")
            return
        }
        machine = CQLExecutionMachine(Self.statement(1))
        _ = machine.start()
        let error = CQLServerError(.overloaded, "")
        #expect(machine.received(.error(error)) == .fail(.server(error)))
        machine = CQLExecutionMachine(Self.statement(1))
        _ = machine.start()
        guard case .fail(.unreadable) = machine.received(.ready) else {
            Issue.record("did not fail")
            return
        }
    }

    @Test("rows get the columns that the statement has, and new ones are noticed") func columns() throws {
        guard case .rows(let skipped) = try ResponseVectorTests.response("rows.skipped").message,
            case .rows(let changed) = try ResponseVectorTests.response("rows.changed").message
        else { return }
        var statement = Self.statement(1)
        statement.columns = try #require(changed.columns)
        var machine = CQLExecutionMachine(statement)
        _ = machine.start()
        guard case .succeed(.rows(let rows), changed: false) = machine.received(.rows(skipped)) else {
            Issue.record("no rows")
            return
        }
        try ResponseVectorTests.check(rows)

        machine = CQLExecutionMachine(Self.statement(1))
        _ = machine.start()
        guard case .succeed(.rows, changed: true) = machine.received(.rows(changed)) else {
            Issue.record("no rows")
            return
        }
        #expect(machine.statement.resultMetadataID == [UInt8](100..<116))
        #expect(machine.statement.columns == changed.columns)

        machine = CQLExecutionMachine(Self.statement(1))
        _ = machine.start()
        guard case .fail(.unreadable) = machine.received(.rows(skipped)) else {
            Issue.record("rows of six columns under none")
            return
        }
    }
}
