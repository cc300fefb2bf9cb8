internal import PerdureSQLite
internal import PerdureState
internal import PerdureStores
internal import PerdureTestKit

/// What can be done with a store as a whole.
enum StoreCommands {
    static let all: [Command] = [setup, ping, check, copy, backup]

    static let setup = Command(
        "store setup", "Makes the store's tables where they are missing, and brings older ones up to date",
        examples: [
            .init("perdure store setup --store postgres://app@db/bank", "the tables, in the schema that the URL names")
        ]
    ) { call in
        try await call.withChosenStore(made: true) { try await $0.setup() }
        if call.output.isJSON {
            call.output.json([("ready", .bool(true))])
        } else {
            call.output.line("the store is ready")
        }
        return .done
    }

    static let ping = Command(
        "store ping", "Makes a round trip to the store, and says how long it took",
        examples: [.init("perdure store ping", "whether the store of PERDURE_STORE answers")]
    ) { call in
        let clock = SystemClock()
        let took = try await call.withStore { store in
            try await store.connect()
            let start = clock.now
            try await store.ping()
            return clock.now - start
        }
        let microseconds = took.components.attoseconds / 1_000_000_000_000 + took.components.seconds * 1_000_000
        if call.output.isJSON {
            call.output.json([("microseconds", .number(microseconds))])
        } else {
            call.output.line("the store answered in \(Double(microseconds) / 1_000) ms")
        }
        return .done
    }

    static let check = Command(
        "store check", "Sees whether the store keeps its promises, and prints the checklist",
        discussion: """
            Runs the published promise suite on the store. It writes states under IDs of its own and deletes them again; what else is
            stored is not touched. Disconnections concern only the tool.
            """,
        options: [
            .init("seed", value: "N", "where everything random comes from; a report names its seed"),
            .init("quick", "look less thoroughly: small payloads, one round"),
        ],
        examples: [
            .init("perdure store check --store sqlite:bank.sqlite", "the checklist; ends with 1 if a promise is broken")
        ]
    ) { call in
        let url = try call.storeURL()
        let seed = try call.number("seed", in: 0...UInt64.max) ?? .random(in: 0...UInt64.max)
        let settings =
            call.has("quick")
            ? PromiseSettings(seed: seed, largestPayload: 1 << 16, rounds: 1) : PromiseSettings(seed: seed)
        let report = await StatePromises.verify(url.kind.rawValue, settings: settings) { try url.store().states }
        if call.output.isJSON {
            for entry in report.entries {
                call.output.json([
                    ("number", .number(entry.number)), ("name", .string(entry.name)),
                    ("verdict", .string(entry.verdict.word)), ("microseconds", .number(entry.microseconds)),
                ])
            }
        } else {
            call.output.line("\(report)")
        }
        return report.isKept ? .done : .failed
    }

    static let copy = Command(
        "store copy", "Copies the states of a store to another, while both are in use",
        discussion: """
            What the target has already, byte for byte, is left as it is: a copy that was interrupted goes on when it is started again.
            A state of which the target has a newer version is never overwritten, but named. At the end both stores are
            read again and compared; what changed meanwhile is copied in further passes.
            """,
        operands: [
            .init("FROM", "the URL of the store to read"),
            .init("TO", "the URL of the store to write; it must be set up"),
        ],
        options: [.init("prefix", letter: "p", value: "TEXT", "only IDs that begin so")],
        examples: [.init("perdure store copy sqlite:bank.sqlite postgres://app@db/bank", "a move to PostgreSQL")]
    ) { call in
        guard call.option("store") == nil else { throw Misuse("the stores are operands here; leave out --store") }
        let source = try StoreURL.named(call.operand(0) ?? "").store().states
        let target = try StoreURL.named(call.operand(1) ?? "").store().states
        var copy = try StateCopy(from: source, to: target, prefix: call.option("prefix") ?? "", output: call.output)
        let result: StateCopy.Result
        do {
            result = try await copy.run()
        } catch {
            await source.disconnect()
            await target.disconnect()
            Output.note("perdure: the copy has not ended; the same command goes on where it was")
            throw error
        }
        await source.disconnect()
        await target.disconnect()
        if call.output.isJSON {
            call.output.json([
                ("states", .number(result.states)), ("written", .number(result.written)),
                ("refused", .number(result.refused)), ("verified", .bool(result.isVerified)),
            ])
        } else {
            call.output.line(
                "\(result.states) states; \(result.written) written, \(result.refused) refused; "
                    + (result.isVerified ? "both stores hold the same" : "the stores differ"))
        }
        return result.isVerified ? .done : .failed
    }

    static let backup = Command(
        "store backup", "Copies an SQLite store to a file while it is in use",
        operands: [.init("FILE", "where to; must not exist")],
        examples: [.init("perdure store backup monday.sqlite --store sqlite:bank.sqlite", "a consistent copy")]
    ) { call in
        try await call.withStore { store in
            guard let store = store as? SQLiteStore else {
                throw Misuse(
                    "only SQLite stores are backed up by copying a file; use the means of the database, or `store copy`"
                )
            }
            try await store.backup(to: call.operand(0) ?? "")
        }
        if call.output.isJSON {
            call.output.json([("done", .bool(true))])
        } else {
            call.output.line("the backup is complete")
        }
        return .done
    }
}

extension PromiseVerdict {
    /// The verdict in a word, for programs.
    fileprivate var word: String {
        switch self {
        case .kept: "kept"
        case .broken: "broken"
        case .notOffered: "notOffered"
        case .notTested: "notTested"
        }
    }
}
