internal import PerdureSQLite
internal import PerdureState

/// What can be done with a store as a whole.
enum StoreCommands {
    static let all: [Command] =
        [
            StoreInspecting.setup, ping, StoreInspecting.doctor, StoreInspecting.policy, StoreInspecting.alarms,
            StoreChecking.check,
        ]
        + [StoreCopying.copy, backup, StoreBench.command]

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
        if call.output.isJSON {
            call.output.json([("microseconds", .number(Milliseconds(took).microseconds))])
        } else {
            call.output.line("the store answered in \(Milliseconds(took).text)")
        }
        return .done
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
