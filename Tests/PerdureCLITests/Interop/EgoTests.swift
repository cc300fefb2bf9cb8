import PerdureState
import PerdureStores
import Processes
import Testing

/// A program that does to the tables what eGo's stores do, with the databases' own drivers and protobuf; see `Tests/Interop/ego`.
struct EgoClient: Sendable {
    let command: String

    static let python = Self.programs["PYTHON"].map { EgoClient(command: "'\($0)' '\(Self.folder)/exchange.py'") }
    static let go = Self.programs["GO"].map { EgoClient(command: "'\($0)'") }

    private static let folder = Shell.root + "/Tests/Interop/ego"
    private static let programs = Shell.programs(preparedBy: "ego/prepare 2>/dev/null")

    /// It ended badly; what it said.
    struct Complaint: Error, CustomStringConvertible { let description: String }

    /// Lets it do something in the tables of a URL; returns what it printed.
    ///
    /// A driver that complains and succeeds all the same has met a slow server, which is its own affair.
    func callAsFunction(
        _ kind: TestStore, _ url: String, in folder: String, _ words: String...
    ) async throws -> String {
        let line = ([self.command] + (try self.place(kind, url)).map { "'\($0)'" } + words).joined(separator: " ")
        let call = try await ToolProcess.shell(line, in: folder)
        guard call.status == 0 else { throw Complaint(description: call.output + call.errors) }
        return call.output
    }

    /// How the program names the tables.
    private func place(_ kind: TestStore, _ url: String) throws -> [String] {
        let parts = url.split(separator: "?", maxSplits: 1).map(String.init)
        func parameter(_ name: String) throws -> String {
            let all = try #require(parts.last).split(separator: "&")
            return String(try #require(all.first { $0.hasPrefix(name + "=") }).dropFirst(name.count + 1))
        }
        let words = parts[0].split(separator: "/").map(String.init)
        switch kind {
        case .sqlite: return ["sqlite"]
        case .postgres: return ["postgres", parts[0], try parameter("schema")]
        case .dynamodb: return ["dynamodb", try parameter("endpoint"), words[1], words[2]]
        case .cassandra:
            let node = words[1].split(separator: ":").map(String.init)
            return ["cassandra", node[0], node[1], words[2], try parameter("table")]
        }
    }
}

/// eGo's sample: accounts that are credited, in one of the two layouts.
private struct EgoAccount: DurableStateBehavior {
    struct State: ProtobufMessage, Hashable {
        static let protoMessageName = "samplepb.Account"
        var id = ""
        var balance = 0.0
    }

    let id: String
    let layout: ProtobufLayout
    let initialState = State()

    var codec: any StateCodec<State> { ProtobufStateCodec(layout: self.layout) }

    func handle(_ amount: Double, in account: State) -> Effect<State> {
        .persist(State(id: self.id, balance: account.balance + amount))
    }
}

extension EgoAccount.State {
    struct Malformed: Error {}

    init(protobufBytes bytes: [UInt8]) throws {
        // A text under 0x0a whose length is a byte, and eight bytes under 0x11; either may be left out.
        var rest = bytes[...]
        while let tag = rest.popFirst() {
            let length = tag == 0x0a ? Int(rest.popFirst() ?? 0) : 8
            let field = rest.prefix(length)
            guard tag == 0x0a || tag == 0x11, field.count == length else { throw Malformed() }
            rest.removeFirst(length)
            if tag == 0x0a {
                self.id = String(decoding: field, as: UTF8.self)
            } else {
                self.balance = Double(bitPattern: field.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
            }
        }
    }

    func protobufBytes() throws -> [UInt8] {
        let id = Array(self.id.utf8)
        let bits = self.balance.bitPattern
        return [0x0a, UInt8(id.count)] + id + [0x11] + (0..<8).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
    }
}

/// Two services on one table, one of which is not ours.
private struct EgoTour {
    let kind: TestStore
    let client: EgoClient?

    /// Both write, both read and update what the other wrote, in one layout.
    func exchange(_ layout: ProtobufLayout) async throws {
        let client = try #require(self.client)
        let (name, manifest) = layout == .any ? ("any", "google.protobuf.Any") : ("message", "samplepb.Account")
        try await withStores(self.kind) { folder, urls in
            func ask(_ words: String...) async throws -> String {
                switch words.count {
                case 2: try await client(self.kind, urls[0], in: folder, words[0], words[1])
                default:
                    try await client(
                        self.kind, urls[0], in: folder, words[0], name, words[1], words[2], words[3])
                }
            }
            let chosen = try ChosenStore(StoreURL(urls[0]))
            let engine = StateEngine(store: chosen.states) {
                Behaviors(EgoAccount.self) { EgoAccount(id: $0, layout: layout) }
            }
            func credit(_ id: String, _ amount: Double) async throws -> (Double, UInt64) {
                let entity = engine.entity(EgoAccount.self, id)
                let result = try await entity.send(amount)
                // Whoever else writes is to be seen.
                await entity.passivate()
                return (result.state.balance, result.version)
            }
            // They begin: a version that they chose, in their layout.
            #expect(try await ask("write", "theirs", "3", "500") == "")
            #expect(try await credit("theirs", 250) == (750, 4))
            #expect(try await ask("read", "theirs") == "4 \(manifest) theirs 750\n")
            #expect(try await ask("write", "theirs", "5", "800") == "")
            #expect(try await credit("theirs", 1) == (801, 6))
            #expect(try await ask("read", "theirs") == "6 \(manifest) theirs 801\n")
            // We begin.
            #expect(try await credit("ours", 20) == (20, 1))
            #expect(try await ask("read", "ours") == "1 \(manifest) ours 20\n")
            #expect(try await ask("write", "ours", "2", "30") == "")
            #expect(try await credit("ours", 5) == (35, 3))
            #expect(try await ask("read", "ours") == "3 \(manifest) ours 35\n")
            // What we delete is gone for them.
            try await chosen.states.delete("ours", if: .version(3))
            #expect(try await ask("read", "ours") == "none\n")
            try await engine.stop()
            await chosen.disconnect()
            // And the tool tells whose rows they are.
            let shown = try await ToolProcess.run(["state", "get", "theirs", "--store", urls[0]], in: folder)
            #expect(shown.output.contains("\nversion   6\nmanifest  \(manifest)\n"), "\(shown.output)\(shown.errors)")
        }
    }
}

@Suite("eGo's tables, on PostgreSQL", .enabled(if: TestStore.postgres.isThere, "PERDURE_TEST_POSTGRES is not set"))
struct EgoOnPostgresTests {
    @Test("shared with Go", .enabled(if: EgoClient.go != nil, "needs Go"), arguments: [ProtobufLayout.any, .message])
    func go(_ layout: ProtobufLayout) async throws {
        try await EgoTour(kind: .postgres, client: .go).exchange(layout)
    }

    @Test(
        "shared with Python", .enabled(if: EgoClient.python != nil, "needs Python's drivers"),
        arguments: [ProtobufLayout.any, .message])
    func python(_ layout: ProtobufLayout) async throws {
        try await EgoTour(kind: .postgres, client: .python).exchange(layout)
    }
}

@Suite("eGo's tables, on DynamoDB", .enabled(if: TestStore.dynamodb.isThere, "PERDURE_TEST_DYNAMODB is not set"))
struct EgoOnDynamoDBTests {
    @Test("shared with Go", .enabled(if: EgoClient.go != nil, "needs Go"), arguments: [ProtobufLayout.any, .message])
    func go(_ layout: ProtobufLayout) async throws {
        try await EgoTour(kind: .dynamodb, client: .go).exchange(layout)
    }

    @Test(
        "shared with Python", .enabled(if: EgoClient.python != nil, "needs Python's drivers"),
        arguments: [ProtobufLayout.any, .message])
    func python(_ layout: ProtobufLayout) async throws {
        try await EgoTour(kind: .dynamodb, client: .python).exchange(layout)
    }
}

@Suite("eGo's tables, on Cassandra", .enabled(if: TestStore.cassandra.isThere, "PERDURE_TEST_CASSANDRA is not set"))
struct EgoOnCassandraTests {
    @Test("shared with Go", .enabled(if: EgoClient.go != nil, "needs Go"), arguments: [ProtobufLayout.any, .message])
    func go(_ layout: ProtobufLayout) async throws {
        try await EgoTour(kind: .cassandra, client: .go).exchange(layout)
    }

    @Test(
        "shared with Python", .enabled(if: EgoClient.python != nil, "needs Python's drivers"),
        arguments: [ProtobufLayout.any, .message])
    func python(_ layout: ProtobufLayout) async throws {
        try await EgoTour(kind: .cassandra, client: .python).exchange(layout)
    }
}
