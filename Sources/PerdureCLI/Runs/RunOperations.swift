internal import PerdureModel
internal import PerdureWorkflow

/// What people do to runs.
///
/// Whoever drives a run is told, and does it; what nobody drives is changed at once.
enum RunOperations {
    static let cancel = Command(
        "run cancel", "Ends a run",
        discussion: """
            What has ended stays recorded, and the runs that it waits for are cancelled as well. A run that is being driven ends as soon as
            its worker notices. A run that nobody drives is then kept until it is deleted: how long to keep it is known to its workers only.
            """,
        operands: [RunCommands.id],
        options: [.init("reason", value: "TEXT", "why; is recorded with the run")],
        examples: [.init("perdure run cancel order-7 --reason 'customer withdrew'", "ends order-7")]
    ) { call in
        let reason = call.option("reason") ?? "cancelled on request"
        return try await call.operate("is cancelled, or will be as soon as its worker notices", "had ended already") {
            try await $0.cancel($1, reason: reason)
        }
    }

    static let pause = Command(
        "run pause", "Holds a run back until it is resumed",
        discussion: "What is under way ends and is recorded; no step is begun any more.",
        operands: [RunCommands.id], examples: [.init("perdure run pause order-7", "holds order-7 back")]
    ) { call in
        try await call.operate(
            "is paused, or will be as soon as its worker notices", "had ended, or was held back already"
        ) { try await $0.pause($1) }
    }

    static let resume = Command(
        "run resume", "Lets a run go on that was paused or parked",
        discussion: """
            A run that is parked because of a step that must run at most once needs a decision: whether the step is to run again, has
            failed, or is done, and then with what output.
            """,
        operands: [RunCommands.id],
        options: [
            .init("step", value: "NAME", "the step to decide on"),
            .init("decide", "what became of the step", choices: ["again", "failed", "completed"]),
            .init("reason", value: "TEXT", "with failed: why"),
            .init("output", value: "FILE", "with completed: the step's output as JSON; - for standard input"),
        ],
        examples: [
            .init("perdure run resume order-7", "lets order-7 go on"),
            .init(
                "perdure run resume order-7 --step charge --decide completed --output receipt.json",
                "the card was charged"),
        ]
    ) { call in
        guard let step = call.option("step") else {
            if let option = ["decide", "reason", "output"].first(where: call.has) {
                throw Misuse("--\(option) is about a step: name it with --step")
            }
            return try await call.operate("goes on", "was neither paused nor parked") { try await $0.resume($1) }
        }
        let decision: AtMostOnceDecision
        switch call.option("decide") {
        case "again": decision = .runAgain
        case "failed": decision = .failed(call.option("reason") ?? "failed, as decided by a person")
        case "completed":
            decision = .completed(value: try await call.json("output") ?? RunValue(bytes: Array("null".utf8)))
        default: throw Misuse("what became of the step? Say --decide again, failed or completed")
        }
        return try await call.operate("goes on", "") {
            try await $0.resume($1, step: step, deciding: decision)
            return true
        }
    }

    static let retry = Command(
        "run retry", "Tries a run again that failed or was cancelled",
        discussion: "Goes on from the steps that did not end well; what is recorded of the others stays.",
        operands: [RunCommands.id], examples: [.init("perdure run retry order-7", "tries what failed again")]
    ) { call in
        try await call.operate("goes on", "has not failed, and was not cancelled") { try await $0.retry($1) }
    }

    static let fork = Command(
        "run fork", "Starts a new run that has done what another did before a step, and goes on from there",
        discussion: """
            The other run stays as it is. Taken over is what it has recorded of the steps that are declared before the step; the step, and
            all that are declared behind it, run anew, also those of other branches. Prints the new run's ID.
            """,
        operands: [RunCommands.id],
        options: [
            .init("from", value: "STEP", "the step to go on from; the run must have come to it"),
            .init("input", value: "FILE", "what the step is given instead, as JSON; - for standard input"),
            .init("output", value: "FILE", "the step does not run: this is its output, as JSON"),
            .init("id", value: "ID", "the new run's ID; one of its own unless given"),
        ],
        examples: [
            .init("perdure run fork order-7 --from charge", "charges again, and ships"),
            .init("perdure run fork order-7 --from charge --input other-card.json --id order-7b", "with another card"),
        ]
    ) { call in
        guard let step = call.option("from") else { throw Misuse("from which step? Say --from STEP") }
        if call.has("input"), call.has("output") {
            throw Misuse("a step with --output does not run, and takes no --input: give one of them")
        }
        let edit: WorkflowEngine.ForkEdit
        if let value = try await call.json("input") {
            edit = .input(value: value)
        } else if let value = try await call.json("output") {
            edit = .output(value: value)
        } else {
            edit = .none
        }
        let id = try await call.withRuns { store in
            try await WorkflowEngine(operatingOn: store).fork(
                call.operand(0) ?? "", fromRecorded: step, edit: edit, id: call.option("id"))
        }
        if call.output.isJSON { call.output.json([("id", .string(id))]) } else { call.output.line(id) }
        return .done
    }

    static let signal = Command(
        "run signal", "Tells a run something that a step of it waits for, or will",
        operands: [
            RunCommands.id, .init("NAME", "the signal's name"),
            .init("FILE", "what it brings along, as JSON; - for standard input; null unless given", isOptional: true),
        ],
        options: [.init("id", value: "ID", "tells signals apart: a second one of the same ID is not taken")],
        examples: [
            .init("echo '{\"approved\": true}' | perdure run signal order-7 approval -", "an answer from a person"),
            .init("perdure run signal order-7 approval yes.json --id mail-42", "taken once, however often it is sent"),
        ]
    ) { call in
        let id = call.operand(0) ?? ""
        let name = call.operand(1) ?? ""
        let value =
            if let path = call.operand(2) { try await call.json(at: path) } else { RunValue(bytes: Array("null".utf8)) }
        let verdict = try await call.withRuns { store in
            try await WorkflowEngine(operatingOn: store).signal(id, name, value: value, id: call.option("id"))
        }
        let (word, text): (String, String)
        switch verdict {
        case .delivered: (word, text) = ("delivered", "\(id) is told")
        case .duplicate: (word, text) = ("duplicate", "\(id) was told before; nothing is changed")
        case .ended(let status): (word, text) = ("ended", "\(id) has ended: \(status.rawValue); nothing is stored")
        }
        if call.output.isJSON {
            call.output.json([("id", .string(id)), ("verdict", .string(word))])
        } else {
            call.output.line(text.visible)
        }
        return word == "ended" ? .failed : .done
    }

    static let delete = Command(
        "run delete", "Removes runs, with all that they own and the runs that they have started",
        discussion: "A run that is being driven is not removed: cancel it first.",
        operands: [RunCommands.id], examples: [.init("perdure run delete order-7", "removes order-7")]
    ) { call in
        try await call.operate("is deleted", "") {
            try await $0.delete($1)
            return true
        }
    }
}

extension Invocation {
    /// Does something to the run that the first operand names, and says so.
    fileprivate func operate(
        _ done: String, _ notDone: String, _ body: (WorkflowEngine, String) async throws -> Bool
    ) async throws -> ExitCode {
        let id = self.operand(0) ?? ""
        let (isDone, status) = try await self.withRuns { store in
            let isDone = try await body(WorkflowEngine(operatingOn: store), id)
            return (isDone, try await store.run(id)?.status)
        }
        if self.output.isJSON {
            self.output.json([
                ("id", .string(id)), ("done", .bool(isDone)), ("status", .optional(status?.rawValue)),
            ])
        } else if isDone {
            self.output.line("\(id.visible) \(done)")
        } else {
            Output.note("perdure: \(id.visible) \(notDone)\(status.map { ": \($0.rawValue)" } ?? "")")
        }
        return isDone ? .done : .failed
    }

    /// The file that an option names, as a value.
    fileprivate func json(_ name: String) async throws -> RunValue? {
        guard let path = self.option(name) else { return nil }
        return try await self.json(at: path)
    }

    /// - Throws: ``Misuse`` where the file has no JSON.
    fileprivate func json(at path: String) async throws -> RunValue {
        let bytes = try await InputFile(path).read()
        guard StateLine.isJSON(bytes) else { throw Misuse("\(path.debugDescription) has no JSON value") }
        return RunValue(bytes: bytes)
    }
}
