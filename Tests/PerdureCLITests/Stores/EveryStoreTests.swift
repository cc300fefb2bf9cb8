import Testing

/// What every command on states and stores does, whichever the store is.
private struct Tour {
    let kind: TestStore

    func states() async throws {
        try await withStores(self.kind) { folder, urls in
            func run(_ line: String..., input: String = "") async throws -> ToolProcess {
                try await ToolProcess.run(line, in: folder, input: input, environment: ["PERDURE_STORE": urls[0]])
            }
            #expect(try await run("store", "ping").output.hasPrefix("the store answered in "))
            let put = try await run("state", "put", "ada", "--manifest", "m", input: "{\"balance\":3}")
            #expect(put.output == "ada is stored as version 1\n" && put.errors == "" && put.status == 0)
            let next = try await run("state", "put", "ada", "--if-version", "1", "--json", input: "{\"balance\":4}")
            #expect(next.output == "{\"id\":\"ada\",\"version\":2}\n")
            let late = try await run("state", "put", "ada", "--if-version", "1", input: "5")
            #expect(late.status == 1 && late.output == "")
            #expect(
                late.errors.hasPrefix(
                    "perdure: write failed: conflict (not applied): expected version 1, found version 2"),
                "\(late.errors)")
            #expect(try await run("state", "put", "ada", "--if-version", "0", input: "5").status == 1)
            #expect(try await run("state", "get", "ada", "--raw").output == "{\"balance\":4}")
            let shown = try await run("state", "get", "ada").output
            #expect(shown.hasPrefix("id        ada\nversion   2\nmanifest  m\nwritten   20"))
            #expect(shown.hasSuffix("size      13 bytes\n\n{\"balance\":4}\n"))
            _ = try await run("state", "put", "bob#/é", "-m", "m", input: "\u{1}\u{2}")
            #expect(try await run("state", "list").output.split(separator: "\n").sorted() == ["ada", "bob#/é"])
            #expect(try await run("state", "list", "--prefix", "b").output == "bob#/é\n")
            #expect(try await run("state", "list", "--count").output == "2\n")
            let exported = try await run("state", "export", "--prefix", "bob")
            #expect(exported.output.hasPrefix("{\"id\":\"bob#/é\",\"version\":1,\"manifest\":\"m\",\"timestamp\":"))
            #expect(exported.output.hasSuffix("\"payload\":\"AQI=\"}\n") && exported.errors == "1 states\n")
            #expect(try await run("state", "delete", "bob#/é", "--if-version", "3").status == 1)
            #expect(try await run("state", "delete", "bob#/é", "--if-version", "1").output == "bob#/é is deleted\n")
            let gone = try await run("state", "get", "bob#/é")
            #expect(gone.status == 1 && gone.errors == "perdure: there is no state under \"bob#/é\"\n")
            let imported = try await run("state", "import", input: exported.output)
            #expect(imported.status == 1 && imported.output == "0 stored, 0 were there already, 1 refused\n")
            #expect(imported.errors.hasPrefix("perdure: line 1: "))
            let back = try await run("state", "put", "bob#/é", "-m", "m", input: "\u{3}")
            #expect(back.output == "bob#/é is stored as version 3\n", "\(back.errors)")
            let others = try await run("state", "import", input: exported.output.replacing("bob", with: "eve"))
            #expect(others.status == 0 && others.output == "1 stored, 0 were there already, 0 refused\n")
            #expect(try await run("state", "get", "eve#/é", "--raw").output == "\u{1}\u{2}")
            #expect(try await run("store", "setup").output == "the store is ready\n")
        }
    }

    func copy() async throws {
        try await withStores(self.kind, ["a", "b"]) { folder, urls in
            for number in 0..<3 {
                let put = ["state", "put", "id-\(number)", "-m", "m", "--store", urls[0]]
                #expect(try await ToolProcess.run(put, in: folder, input: "{\"n\":\(number)}").status == 0)
            }
            let copy = try await ToolProcess.run(["store", "copy", urls[0], urls[1]], in: folder)
            #expect(copy.output.hasPrefix("3 states; 3 written, 0 refused; both stores hold the same\n"))
            #expect(copy.status == 0 && copy.errors == "")
            let exports = try await [urls[0], urls[1]].asyncMap { url in
                try await ToolProcess.run(["state", "export", "--store", url], in: folder).output
                    .split(separator: "\n").sorted()
            }
            #expect(exports[0] == exports[1] && exports[0].count == 3)
        }
    }

    /// The promises of `contracts`, on tables that are gone afterwards. Those of runs take half a minute on the small servers for tests.
    func check(_ contracts: String...) async throws {
        try await withStores(self.kind) { folder, urls in
            let only = contracts.count == 1 ? ["--only", contracts[0]] : []
            let line = ["store", "check", "--seed", "\(UInt32.random(in: 0 ... .max))", "--store", urls[0]] + only
            let check = try await ToolProcess.run(line, in: folder)
            #expect(check.status == 0, "\(check.output)\(check.errors)")
            #expect(
                check.errors.split(separator: "\n").allSatisfy { $0.hasSuffix(" promises, 0 broken") },
                "\(check.errors)")
            #expect(check.output.ranges(of: " kept, 0 broken, ").count == contracts.count)
            // In tables of its own.
            #expect(try await ToolProcess.run(["state", "list", "--store", urls[0]], in: folder).output == "")
        }
    }

    func help() async throws {
        try await withFolder { folder in
            // A password never comes out, whatever goes wrong.
            let url =
                switch self.kind {
                case .sqlite: "sqlite:\(folder)"
                case .postgres: "postgres://ada:pa55word@127.0.0.1:1/bank?connect_timeout=1"
                case .dynamodb: "dynamodb://eu-central-1/states?endpoint=http://127.0.0.1:1"
                case .cassandra: "cassandra://ada:pa55word@127.0.0.1:1/bank?connect_timeout=500ms"
                }
            let variables = ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "pa55word"]
            let ping = try await ToolProcess.run(["store", "ping", "--store", url], in: folder, environment: variables)
            #expect(ping.status == 1 && ping.output == "")
            #expect(ping.errors.hasPrefix("perdure: "), "\(ping.errors)")
            #expect(!ping.errors.contains("pa55word"))
        }
    }
}

extension Array {
    fileprivate func asyncMap<Other>(_ body: (Element) async throws -> Other) async throws -> [Other] {
        var others: [Other] = []
        for element in self { others.append(try await body(element)) }
        return others
    }
}

@Suite("The tool on SQLite")
struct ToolOnSQLiteTests {
    private let tour = Tour(kind: .sqlite)

    @Test("states") func states() async throws { try await self.tour.states() }
    @Test("a copy") func copy() async throws { try await self.tour.copy() }
    @Test("the promises") func check() async throws { try await self.tour.check("states", "runs") }
    @Test("a store that cannot be reached") func unreachable() async throws { try await self.tour.help() }
}

@Suite("The tool on PostgreSQL", .enabled(if: TestStore.postgres.isThere, "PERDURE_TEST_POSTGRES is not set"))
struct ToolOnPostgresTests {
    private let tour = Tour(kind: .postgres)

    @Test("states") func states() async throws { try await self.tour.states() }
    @Test("a copy") func copy() async throws { try await self.tour.copy() }
    @Test("the promises") func check() async throws { try await self.tour.check("states", "runs") }
    @Test("a store that cannot be reached") func unreachable() async throws { try await self.tour.help() }

    @Test("whoever may not enter is told so, and the password is not in it") func forbidden() async throws {
        try await withFolder { folder in
            let url = TestStore.postgres.url(in: folder)
            let place = try #require(url.lastIndex(of: "@"))
            let wrong = "postgres://perdure:pa55word\(url[place...])"
            let ping = try await ToolProcess.run(["store", "ping", "--store", wrong], in: folder)
            #expect(ping.status == 1 && ping.output == "")
            #expect(ping.errors.hasPrefix("perdure: connect failed: forbidden: "), "\(ping.errors)")
            #expect(!ping.errors.contains("pa55word"))
        }
    }
}

@Suite("The tool on DynamoDB", .enabled(if: TestStore.dynamodb.isThere, "PERDURE_TEST_DYNAMODB is not set"))
struct ToolOnDynamoDBTests {
    private let tour = Tour(kind: .dynamodb)

    @Test("states") func states() async throws { try await self.tour.states() }
    @Test("a copy") func copy() async throws { try await self.tour.copy() }
    @Test("the promises") func check() async throws { try await self.tour.check("states") }
    @Test("a store that cannot be reached") func unreachable() async throws { try await self.tour.help() }
}

@Suite("The tool on Cassandra", .enabled(if: TestStore.cassandra.isThere, "PERDURE_TEST_CASSANDRA is not set"))
struct ToolOnCassandraTests {
    private let tour = Tour(kind: .cassandra)

    @Test("states") func states() async throws { try await self.tour.states() }
    @Test("a copy") func copy() async throws { try await self.tour.copy() }
    @Test("the promises") func check() async throws { try await self.tour.check("states") }
    @Test("a store that cannot be reached") func unreachable() async throws { try await self.tour.help() }
}
