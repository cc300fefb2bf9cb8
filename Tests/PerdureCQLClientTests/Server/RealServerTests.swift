import PerdureCQL
import PerdureCQLClient
import Testing

/// Against Apache Cassandra itself.
@Suite(
    "A real cluster", .serialized, .enabled(if: TestServer.plain != nil, "needs PERDURE_TEST_CASSANDRA"),
    .timeLimit(.minutes(10)))
struct RealServerTests {
    private func configuration() throws -> CQLClientConfiguration { try #require(TestServer.plain) }

    @Test(
        "writes and reads, in both versions, compressed or not",
        arguments: [CQLVersion.v4, .v5], [nil, CQLCompression.lz4])
    func writesAndReads(version: CQLVersion, compression: CQLCompression?) async throws {
        var configuration = try self.configuration()
        configuration.newestVersion = version
        configuration.compression = compression
        try await TestServer.withKeyspace(configuration) { client, keyspace in
            try await client.query("CREATE TABLE \(keyspace).t (id text PRIMARY KEY, v bigint, p blob)")
            let write = try await client.prepare("UPDATE \(keyspace).t SET v = ?, p = ? WHERE id = ?")
            let read = try await client.prepare("SELECT v, p FROM \(keyspace).t WHERE id = ?")
            #expect(write.partitionKeyMarkers == [2])
            // Small ones, one longer than a segment, and none.
            for (index, size) in [0, 1, 200, 300_000].enumerated() {
                let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                try await client.execute(write) { values in
                    try values.bind(Int64(index))
                    try values.bind(payload)
                    try values.bind("id-\(index)")
                }
                let row = try #require(try await client.execute(read) { try $0.bind("id-\(index)") }.first)
                #expect(try row.decode(Int64.self, named: "v") == Int64(index))
                #expect(try row.decode([UInt8].self, at: 1) == payload)
            }
            #expect(try await client.execute(read) { try $0.bind("nobody") }.isEmpty)
        }
    }

    @Test("many at once, to the node that has each")
    func many() async throws {
        try await TestServer.withKeyspace(try self.configuration()) { client, keyspace in
            try await client.query("CREATE TABLE \(keyspace).t (a int, b text, v bigint, PRIMARY KEY ((a, b)))")
            let write = try await client.prepare("INSERT INTO \(keyspace).t (b, v, a) VALUES (?, ?, ?)")
            #expect(write.partitionKeyMarkers == [2, 0])
            let read = try await client.prepare("SELECT v FROM \(keyspace).t WHERE a = ? AND b = ?")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<500 {
                    group.addTask {
                        try await client.execute(write, options: CQLExecutionOptions(consistency: .one)) { values in
                            try values.bind("b\(index)")
                            try values.bind(Int64(index))
                            try values.bind(Int32(index))
                        }
                        let result = try await client.execute(read, options: CQLExecutionOptions(consistency: .one)) {
                            try $0.bind(Int32(index))
                            try $0.bind("b\(index)")
                        }
                        #expect(try result.first?.decode(Int64.self, at: 0) == Int64(index))
                    }
                }
                try await group.waitForAll()
            }
            // Pages.
            var seen: Set<Int64> = []
            var options = CQLExecutionOptions(pageSize: 64)
            var pages = 0
            repeat {
                let page = try await client.query("SELECT v FROM \(keyspace).t", options: options)
                #expect(page.count <= 64)
                for row in page { seen.insert(try row.decode(at: 0)) }
                options.pagingState = page.pagingState
                pages += 1
            } while options.pagingState != nil && pages < 100
            #expect(seen.count == 500)
            #expect(pages >= 8)
        }
    }

    @Test("conditional writes say whether they were applied")
    func conditional() async throws {
        try await TestServer.withKeyspace(try self.configuration()) { client, keyspace in
            try await client.query("CREATE TABLE \(keyspace).t (id text PRIMARY KEY, version bigint)")
            let create = try await client.prepare("INSERT INTO \(keyspace).t (id, version) VALUES (?, 1) IF NOT EXISTS")
            let replace = try await client.prepare(
                "UPDATE \(keyspace).t SET version = ? WHERE id = ? IF version = ?")
            let options = CQLExecutionOptions(consistency: .quorum, serialConsistency: .serial)
            #expect(try await client.execute(create, options: options) { try $0.bind("a") }.wasApplied == true)
            #expect(try await client.execute(create, options: options) { try $0.bind("a") }.wasApplied == false)
            let applied = try await withThrowingTaskGroup(of: Bool?.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await client.execute(replace, options: options) { values in
                            try values.bind(Int64(2))
                            try values.bind("a")
                            try values.bind(Int64(1))
                        }.wasApplied
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 == true ? 1 : 0 }
            }
            #expect(applied == 1)
            let batch = try await client.batch(.unlogged, options: options) { batch in
                try batch.add(replace) { values in
                    try values.bind(Int64(3))
                    try values.bind("a")
                    try values.bind(Int64(2))
                }
            }
            #expect(batch.wasApplied == true)
        }
    }

    @Test("a statement survives changes of its table", arguments: [CQLVersion.v4, .v5])
    func changes(version: CQLVersion) async throws {
        var configuration = try self.configuration()
        configuration.newestVersion = version
        try await TestServer.withKeyspace(configuration) { client, keyspace in
            try await client.query("CREATE TABLE \(keyspace).t (id text PRIMARY KEY, a bigint)")
            let write = try await client.prepare("INSERT INTO \(keyspace).t (id, a) VALUES (?, ?)")
            let read = try await client.prepare("SELECT * FROM \(keyspace).t WHERE id = ?")
            try await client.execute(write) { values in
                try values.bind("x")
                try values.bind(Int64(7))
            }
            #expect(try await client.execute(read) { try $0.bind("x") }.first?.columnCount == 2)
            try await client.query("ALTER TABLE \(keyspace).t ADD b text")
            try await client.query("INSERT INTO \(keyspace).t (id, b) VALUES ('x', 'new')")
            for _ in 0..<3 {
                let row = try #require(try await client.execute(read) { try $0.bind("x") }.first)
                #expect(try row.decode(Int64.self, named: "a") == 7)
                #expect(try row.decode(String.self, named: "b") == "new")
            }
            // The server forgets statements of a table that is gone.
            try await client.query("DROP TABLE \(keyspace).t")
            let gone = await failure { try await client.execute(read) { try $0.bind("x") } }
            #expect(gone?.serverError?.code == .invalid)
            try await client.query("CREATE TABLE \(keyspace).t (id text PRIMARY KEY, a bigint)")
            try await client.execute(write) { values in
                try values.bind("y")
                try values.bind(Int64(8))
            }
            #expect(try await client.execute(read) { try $0.bind("y") }.count == 1)
        }
    }

    @Test("what the server refuses is told as it is")
    func refusals() async throws {
        try await TestServer.withKeyspace(try self.configuration()) { client, keyspace in
            let syntax = await failure { try await client.query("SELECT nonsense") }
            #expect(syntax?.serverError?.code == .syntaxError)
            #expect(
                await failure { _ = try await client.prepare("SELECT v FROM \(keyspace).none") }?.serverError?.code
                    == .invalid)
            try await client.query("CREATE TABLE \(keyspace).t (id text PRIMARY KEY, v bigint)")
            let exists = await failure { try await client.query("CREATE TABLE \(keyspace).t (id text PRIMARY KEY)") }
            #expect(exists?.serverError?.code == .alreadyExists)
            let many = await failure {
                try await client.query(
                    "INSERT INTO \(keyspace).t (id, v) VALUES ('a', 1)",
                    options: CQLExecutionOptions(consistency: .three))
            }
            #expect(many?.serverError?.code == .unavailable)
            #expect(many?.outcome == .notApplied)
            let named = try await client.query("SELECT * FROM \(keyspace).t WHERE id = ?") { try $0.bind("a") }
            #expect(named.isEmpty)
        }
    }

    @Test("a keyspace may be set for all connections")
    func keyspace() async throws {
        let configuration = try self.configuration()
        try await TestServer.withKeyspace(configuration) { client, keyspace in
            try await client.query("CREATE TABLE \(keyspace).t (id text PRIMARY KEY, v bigint)")
            var other = configuration
            other.keyspace = keyspace
            let second = try CQLClient(other)
            try await second.connect()
            let write = try await second.prepare("INSERT INTO t (id, v) VALUES (?, ?)")
            try await second.execute(write) { values in
                try values.bind("a")
                try values.bind(Int64(1))
            }
            await second.disconnect()
            #expect(try await client.query("SELECT v FROM \(keyspace).t").count == 1)
        }
    }
}

/// With passwords and TLS.
@Suite(
    "A real server that is guarded", .serialized,
    .enabled(if: TestServer.secure != nil, "needs PERDURE_TEST_CASSANDRA_SECURE"), .timeLimit(.minutes(5)))
struct GuardedServerTests {
    private func configuration() throws -> CQLClientConfiguration { try #require(TestServer.secure) }

    @Test("lets in who knows the password, over TLS", arguments: [CQLVersion.v4, .v5])
    func letsIn(version: CQLVersion) async throws {
        var configuration = try self.configuration()
        configuration.newestVersion = version
        try await TestServer.withKeyspace(configuration) { client, keyspace in
            try await client.query("CREATE TABLE \(keyspace).t (id text PRIMARY KEY, p blob)")
            let write = try await client.prepare("INSERT INTO \(keyspace).t (id, p) VALUES (?, ?)")
            let read = try await client.prepare("SELECT p FROM \(keyspace).t WHERE id = ?")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        let payload = [UInt8](repeating: UInt8(index), count: index * 1000)
                        try await client.execute(write) { values in
                            try values.bind("\(index)")
                            try values.bind(payload)
                        }
                        let row = try await client.execute(read) { try $0.bind("\(index)") }.first
                        #expect(try row?.decode([UInt8].self, at: 0) == payload)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("keeps out the others")
    func keepsOut() async throws {
        var wrong = try self.configuration()
        wrong.credentials?.password = "guess"
        var nobody = try self.configuration()
        nobody.credentials = nil
        var stranger = try self.configuration()
        stranger.tls?.authoritiesFile = nil
        var misnamed = try self.configuration()
        misnamed.tls?.serverName = "elsewhere.test"
        for configuration in [wrong, nobody, stranger, misnamed] {
            let client = try CQLClient(configuration)
            let error = try #require(await failure { try await client.connect() })
            #expect(error.code == .forbidden, "\(error)")
            #expect(!String(reflecting: error).contains("guess"))
            await client.disconnect()
        }
        var plain = try self.configuration()
        plain.tls = nil
        plain.connectTimeout = .seconds(2)
        let client = try CQLClient(plain)
        #expect(await failure { try await client.connect() }?.code == .unreachable)
        await client.disconnect()
    }
}
