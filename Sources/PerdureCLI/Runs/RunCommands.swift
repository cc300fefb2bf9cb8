internal import PerdureModel
internal import PerdureWorkflow

/// What can be done with runs of workflows.
///
/// The tool knows no definitions: everything here goes by what is recorded.
enum RunCommands {
    static let all: [Command] =
        [list, show, graph, watch, stats]
        + [RunOperations.cancel, RunOperations.pause, RunOperations.resume, RunOperations.retry, RunOperations.fork]
        + [RunOperations.signal, RunOperations.delete, WorkerCommands.list]

    static let id = Command.Operand("ID", "the run's ID")

    static let list = Command(
        "run list", "Lists runs, the newest first",
        discussion: """
            Streams: any number of runs takes the same memory. Where --limit ends a listing before its end, what to give to --after is
            printed to standard error, or as the field next of a last object.
            """,
        options: RunSelection.options + [
            .init("limit", letter: "n", value: "N", "end after so many"),
            .init("after", value: "CURSOR", "go on where a listing ended"),
            .init("count", "print only how many there are"),
        ],
        examples: [
            .init("perdure run list --status FAILED --since 2h", "what failed of the runs of the last two hours"),
            .init("perdure run list --workflow fulfil-order --tag city=Oslo --count", "how many there are"),
        ]
    ) { call in
        let now = SystemClock().unixMilliseconds
        let filter = try RunSelection.filter(of: call, now: now)
        let most = try call.number("limit", in: 1...UInt64(Int64.max)) ?? .max
        try await call.withRuns { store in
            if call.has("count") {
                let count = try await store.countRuns(where: filter, now: now)
                return call.output.count(count)
            }
            var pages = RunPages(of: store, where: filter, now: now, after: call.option("after"))
            var rest = most
            while rest > 0, let runs = try await pages.next(limit: Int(clamping: min(rest, 500))) {
                rest -= UInt64(runs.count)
                for run in runs {
                    if call.output.isJSON {
                        call.output.json(RunFields(run).fields)
                    } else {
                        call.output.line(RunText(call.output).line(run))
                    }
                }
            }
            guard rest == 0, let next = pages.cursor else { return }
            call.output.flush()
            if call.output.isJSON {
                call.output.json([("next", .string(next.text))])
            } else {
                Output.note("perdure: there may be more; go on with --after \(ShellWord(next.text).text)")
            }
        }
        return .done
    }

    static let show = Command(
        "run show", "Shows a run: what was asked for, its steps, and what happened when",
        operands: [id],
        options: [.init("values", "with inputs, outputs, shared state, and what messages brought")],
        examples: [
            .init("perdure run show order-7", "steps with their attempts, durations and errors, and a timeline"),
            .init("perdure run show order-7 --values --json", "everything that is recorded, for programs"),
        ]
    ) { call in
        let run = try await call.describedRun()
        if call.output.isJSON {
            call.output.json(
                RunFields(run.run, withValues: call.has("values")).fields
                    + RunFields.parts(of: run, withValues: call.has("values")))
        } else {
            RunText(call.output).write(run, withValues: call.has("values"))
        }
        return .done
    }

    static let graph = Command(
        "run graph", "Draws a run with where its steps stand",
        discussion: """
            Drawn from what is recorded, not from the definition, which the tool does not know: steps that have not begun are missing,
            and steps lie side by side where one began before the other had ended.
            """,
        operands: [id],
        options: [.init("format", "how to draw", choices: ["text", "mermaid"])],
        examples: [
            .init("perdure run graph order-7", "a tree of the steps"),
            .init("perdure run graph order-7 --format mermaid > order-7.mmd", "a flowchart for a web page"),
        ]
    ) { call in
        let run = try await call.describedRun()
        let graph = run.recordedGraph
        let picture =
            call.option("format") == "mermaid"
            ? graph.mermaid(statuses: run.stepStatuses) : graph.text(statuses: run.stepStatuses)
        if call.output.isJSON {
            call.output.json([("id", .string(run.run.id)), ("graph", .string(picture))])
        } else {
            call.output.line(String(picture.dropLast()))
        }
        return .done
    }

    static let watch = Command(
        "run watch", "Follows a run until it ends",
        discussion:
            "Prints what happens as it happens. Ends with 0 when the run completes, with 1 when it ends otherwise.",
        operands: [id],
        options: [.init("interval", value: "MS", "how often to look, in milliseconds; 500 unless set")],
        examples: [.init("perdure run watch order-7", "the timeline, live")]
    ) { call in
        let pause = Duration.milliseconds(Int64(try call.number("interval", in: 10...3_600_000) ?? 500))
        let id = call.operand(0) ?? ""
        let status = try await call.withRuns { store in
            try await RunWatching(store: store, output: call.output, pause: pause).follow(id)
        }
        return status == .completed ? .done : .failed
    }

    static let stats = Command(
        "run stats", "Counts runs by where they stand",
        discussion: """
            With --by-workflow all runs are gone through: where each workflow's runs stand, and how long those took that completed.
            """,
        options: RunSelection.options.filter { $0.name != "status" } + [
            .init("by-workflow", "a line for each workflow; goes through all runs")
        ],
        examples: [
            .init("perdure run stats", "how many runs are pending, running, and so on"),
            .init("perdure run stats --by-workflow --since 1d", "what each workflow did since yesterday"),
        ]
    ) { call in
        let now = SystemClock().unixMilliseconds
        let filter = try RunSelection.filter(of: call, now: now)
        try await call.withRuns { store in
            if call.has("by-workflow") {
                var statistics = RunStatistics()
                var pages = RunPages(of: store, where: filter, now: now)
                while let runs = try await pages.next(limit: 500) { runs.forEach { statistics.add($0) } }
                statistics.write(to: call.output)
            } else {
                var counts: [(RunStatus, Int)] = []
                for status in RunStatus.allCases {
                    var one = filter
                    one.statuses = [status]
                    counts.append((status, try await store.countRuns(where: one, now: now)))
                }
                RunStatistics.write(counts, to: call.output)
            }
        }
        return .done
    }
}

extension Invocation {
    /// The run that the first operand names.
    fileprivate func describedRun() async throws -> RunDescription {
        let id = self.operand(0) ?? ""
        return try await self.withRuns { store in
            guard let run = try await WorkflowEngine(operatingOn: store).describe(id) else {
                throw WorkflowError(.notFound, runID: id, message: "there is no run \(id.debugDescription)")
            }
            return run
        }
    }
}
