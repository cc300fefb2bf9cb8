internal import PerdureState

/// What can be done with single states.
enum StateCommands {
    static let all: [Command] = [get, list, put, delete, StateWatching.watch, export, `import`]

    private static let id = Command.Operand("ID", "the persistence ID")

    private static let versionOption = Command.Option(
        "if-version", value: "N", "only if the stored version is N; 0: only if nothing is stored")

    static let get = Command(
        "state get", "Shows a state", operands: [id],
        options: [.init("raw", "write the payload's bytes and nothing else"), PayloadDisplay.option],
        examples: [
            .init("perdure state get ada --store sqlite:bank.sqlite", "version, manifest, and the payload in words"),
            .init("perdure state get ada --raw > ada.bin", "the payload's bytes"),
            .init("perdure state get ada --descriptors bank.binpb", "a protobuf message in words"),
        ]
    ) { call in
        let id = call.operand(0) ?? ""
        let display = try await PayloadDisplay(of: call)
        guard let state = try await call.withStore({ store in try await store.latestState(of: id) }) else {
            Output.note("perdure: there is no state under \(id.debugDescription)")
            return .failed
        }
        if call.has("raw") {
            call.output.bytes(state.payload.bytes)
        } else if call.output.isJSON {
            call.output.json(StateLine.fields(of: state) + display.fields(of: state.payload))
        } else {
            StateText(call.output, display).write(state)
        }
        return .done
    }

    static let list = Command(
        "state list", "Lists persistence IDs",
        discussion:
            "Streams: any number of IDs takes the same memory. The order is the store's own, and always the same.",
        options: [
            .init("prefix", letter: "p", value: "TEXT", "only IDs that begin so"),
            .init("limit", letter: "n", value: "N", "end after so many"),
            .init("count", "print only how many there are"),
        ],
        examples: [
            .init("perdure state list --prefix order-", "the IDs that begin with order-"),
            .init("perdure state list --count", "how many states there are"),
        ]
    ) { call in
        let most = try call.number("limit", in: 1...UInt64(Int64.max)) ?? .max
        try await call.withStore { store in
            var count: UInt64 = 0
            var pages = try StatePages(of: store, prefix: call.option("prefix") ?? "")
            while count < most, let ids = try await pages.next() {
                for id in ids.prefix(Int(clamping: most - count)) {
                    count += 1
                    if call.has("count") { continue }
                    if call.output.isJSON { call.output.json([("id", .string(id))]) } else { call.output.line(id) }
                }
            }
            if call.has("count") { call.output.count(count) }
        }
        return .done
    }

    static let put = Command(
        "state put", "Stores a state",
        discussion: "The version that is stored becomes the one after the version that it replaces.",
        operands: [id, .init("FILE", "where the payload is; - for standard input", isOptional: true)],
        options: [
            versionOption,
            .init("manifest", letter: "m", value: "NAME", "how to read the payload; else the stored state's"),
        ],
        examples: [
            .init(
                "perdure state put ada ada.json --manifest json:Account:1 --if-version 0",
                "a new state, unless there is one"),
            .init(
                "perdure state put ada --if-version 7 < ada.json", "what comes after version 7, under the same manifest"
            ),
        ]
    ) { call in
        let id = call.operand(0) ?? ""
        let bytes = try await InputFile(call.operand(1) ?? "-").read()
        let expected = try call.number("if-version")
        let version = try await call.withStore { store in
            let stored = try await store.latestState(of: id)
            guard let manifest = call.option("manifest") ?? stored?.payload.manifest else {
                throw Misuse(
                    "nothing is stored under \(id.debugDescription): say with --manifest how to read the payload")
            }
            let replaced = expected ?? stored?.version ?? 0
            var state = DurableState(
                persistenceID: id, version: replaced + 1, payload: StatePayload(manifest: manifest, bytes: bytes),
                timestamp: SystemClock().unixMilliseconds, shard: stored?.shard ?? 0)
            do throws(StoreError) {
                try await store.write(state, if: replaced == 0 ? .absent : .version(replaced))
            } catch {
                // What was deleted goes on counting.
                guard error.code == .conflict, stored == nil, replaced == 0, let last = error.storedVersion, last > 0,
                    try await store.latestState(of: id) == nil
                else { throw error }
                state.version = last + 1
                try await store.write(state, if: .absent)
            }
            return state.version
        }
        if call.output.isJSON {
            call.output.json([("id", .string(id)), ("version", .number(version))])
        } else {
            call.output.line("\(id) is stored as version \(version)")
        }
        return .done
    }

    static let delete = Command(
        "state delete", "Deletes a state", operands: [id],
        options: [versionOption],
        examples: [
            .init("perdure state delete ada", "whatever is stored under ada"),
            .init("perdure state delete ada --if-version 7", "only version 7"),
        ]
    ) { call in
        let id = call.operand(0) ?? ""
        let expected = try call.number("if-version")
        let existed = try await call.withStore { store in
            let existed = try await store.latestState(of: id) != nil
            try await store.delete(id, if: expected.map { $0 == 0 ? .absent : .version($0) } ?? .always)
            return existed
        }
        if call.output.isJSON {
            call.output.json([("id", .string(id)), ("deleted", .bool(existed))])
        } else {
            call.output.line(existed ? "\(id) is deleted" : "there was nothing under \(id)")
        }
        return .done
    }

    static let export = Command(
        "state export", "Writes states as lines of JSON",
        discussion:
            "Each line has id, version, manifest, timestamp, shard and the payload as base64; `state import` reads them.",
        options: [.init("prefix", letter: "p", value: "TEXT", "only IDs that begin so")],
        examples: [
            .init("perdure state export --prefix order- > orders.jsonl", "the states whose IDs begin with order-")
        ]
    ) { call in
        let count = try await call.withStore { store in
            var count = 0
            var pages = try StatePages(of: store, prefix: call.option("prefix") ?? "")
            while let ids = try await pages.next() {
                for result in await store.states(of: ids) {
                    guard let state = try result.get() else { continue }
                    count += 1
                    call.output.json(StateLine.fields(of: state))
                }
            }
            return count
        }
        call.output.flush()
        Output.note("\(count) states")
        return .done
    }

    static let `import` = Command(
        "state import", "Reads states from lines of JSON and stores them",
        discussion: """
            Takes what `state export` writes. A state that is stored already, of the same or a newer version, is left as it is, so
            that an import that was interrupted can be started again. Lines that cannot be read, and states that the store refuses,
            such as older ones than what was deleted there, are named, and the rest goes on.
            """,
        operands: [.init("FILE", "where the lines are; - for standard input", isOptional: true)],
        examples: [.init("perdure state import orders.jsonl", "stores what `state export` wrote")]
    ) { call in
        let lines = InputLines(of: try InputFile(call.operand(0) ?? "-"))
        return try await call.withStore { store in
            var run = StateImport(into: store)
            do {
                try await run.run(lines)
            } catch {
                Output.note("perdure: \(run.stored) stored so far; the same command goes on where it was")
                throw error
            }
            if call.output.isJSON {
                call.output.json([
                    ("stored", .number(run.stored)), ("kept", .number(run.kept)), ("refused", .number(run.refused)),
                ])
            } else {
                call.output.line(
                    "\(run.stored) stored, \(run.kept) were there already, \(run.refused) refused")
            }
            return run.refused == 0 ? .done : .failed
        }
    }
}
