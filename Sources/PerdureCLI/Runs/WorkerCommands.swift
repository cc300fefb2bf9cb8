internal import PerdureModel
internal import PerdureWorkflow

/// What can be seen of workers.
enum WorkerCommands {
    static let list = Command(
        "worker list", "Lists the workers that drive runs, with their leases",
        discussion: """
            A lease is told by the clocks of two machines, and so only to people: a worker that seems late may just have another clock.
            """,
        examples: [.init("perdure worker list", "who is registered, since when, and when it was last heard of")]
    ) { call in
        let now = SystemClock().unixMilliseconds
        let workers = try await call.withRuns { try await $0.workers() }
        var table = TextTable("NAME", "LEASE", "LAST HEARD OF", "SINCE", "ID")
        for worker in workers {
            let silence = now - worker.renewedAt
            if call.output.isJSON {
                call.output.json([
                    ("id", .string(worker.id)), ("name", .string(worker.name)), ("process", .string(worker.process)),
                    ("beat", .number(worker.beat)), ("leaseMilliseconds", .number(worker.leaseMilliseconds)),
                    ("registeredAt", .number(worker.registeredAt)), ("renewedAt", .number(worker.renewedAt)),
                    ("isLate", .bool(silence > worker.leaseMilliseconds)),
                ])
            } else {
                table.add(
                    worker.name.visible, TookText(milliseconds: worker.leaseMilliseconds).text,
                    "\(TookText(milliseconds: silence).text) ago\(silence > worker.leaseMilliseconds ? ", late" : "")",
                    UTCTime(worker.registeredAt).text, worker.id.visible)
            }
        }
        if !call.output.isJSON { for line in table.lines { call.output.line(line) } }
        return .done
    }
}
