internal import PerdureState
internal import PerdureStores
internal import PerdureWorkflow

/// Moving from one store to another.
enum StoreCopying {
    static let copy = Command(
        "store copy", "Copies the states and the finished runs of a store to another, while both are in use",
        discussion: """
            What the target has already, byte for byte, is left as it is: a copy that was interrupted goes on when it is started again.
            A state of which the target has a newer version is never overwritten, but named. At the end both stores are
            read again and compared; what changed meanwhile is copied in further passes. Runs that have not ended stay where they are.
            """,
        operands: [
            .init("FROM", "the URL of the store to read"),
            .init("TO", "the URL of the store to write; it must be set up"),
        ],
        options: [
            .init("prefix", letter: "p", value: "TEXT", "only IDs that begin so"),
            .init("only", "only states, or only runs", choices: ["states", "runs"]),
        ],
        examples: [.init("perdure store copy sqlite:bank.sqlite postgres://app@db/bank", "a move to PostgreSQL")]
    ) { call in
        guard call.option("store") == nil else { throw Misuse("the stores are operands here; leave out --store") }
        let source = try StoreURL.named(call.operand(0) ?? "").store()
        let target = try StoreURL.named(call.operand(1) ?? "").store()
        let result: Result<Bool, any Error>
        do {
            result = .success(try await Self.carryOut(call, from: source, to: target))
        } catch {
            result = .failure(error)
            if !(error is Misuse) {
                call.output.flush()
                Output.note("perdure: the copy has not ended; the same command goes on where it was")
            }
        }
        await source.disconnect()
        await target.disconnect()
        return try result.get() ? .done : .failed
    }

    private static func carryOut(
        _ call: Invocation, from source: ChosenStore, to target: ChosenStore
    ) async throws -> Bool {
        let prefix = call.option("prefix") ?? ""
        var isVerified = true
        if call.option("only") != "runs" {
            let result = try await StateCopy(from: source.states, to: target.states, prefix: prefix).run()
            Self.tell(result, "states", call.output)
            isVerified = result.isVerified
        }
        guard call.option("only") != "states" else { return isVerified }
        guard let here = source.runs else {
            if call.option("only") == "runs" { throw Misuse("runs are not kept on \(source.url.kind.title)") }
            return isVerified
        }
        guard let there = target.runs else {
            if call.option("only") == "runs" { throw Misuse("runs are not kept on \(target.url.kind.title)") }
            Output.note("perdure: runs are not kept on \(target.url.kind.title): only states are copied")
            return isVerified
        }
        let result = try await RunCopy(source: here, target: there, prefix: prefix).run()
        Self.tell(result, "finished runs", call.output)
        return isVerified && result.isVerified
    }

    private static func tell(_ result: CopyProgress.Result, _ what: String, _ output: Output) {
        if output.isJSON {
            output.json([
                ("what", .string(what)), ("found", .number(result.found)), ("written", .number(result.written)),
                ("refused", .number(result.refused)), ("verified", .bool(result.isVerified)),
            ])
        } else {
            output.line(
                "\(result.found) \(what); \(result.written) written, \(result.refused) refused; "
                    + (result.isVerified ? "both stores hold the same" : "the stores differ"))
        }
    }
}
