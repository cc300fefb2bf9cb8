internal import PerdureModel
internal import PerdureState
internal import PerdureStores
internal import PerdureWorkflow

/// Setting stores up, and finding out what is wrong with them.
enum StoreInspecting {
    static let setup = Command(
        "store setup", "Makes the store's tables where they are missing, and brings older ones up to date",
        options: [.init("dry-run", "print the statements or requests that it would send, and send none")],
        examples: [
            .init("perdure store setup --store postgres://app@db/bank", "the tables, in the schema that the URL names"),
            .init("perdure store setup --dry-run --store cassandra://node1/bank", "what an administrator is to run"),
        ]
    ) { call in
        try await call.withChosenStore(made: true) { store in
            guard call.has("dry-run") else {
                try await store.setup()
                if call.output.isJSON {
                    return call.output.json([("ready", .bool(true))])
                }
                return call.output.line("the store is ready")
            }
            for step in try await call.inspect(
                store, { inspection throws(StoreError) in try await inspection.setupSteps() })
            {
                if call.output.isJSON {
                    call.output.json([("step", .string(step))])
                } else if store.url.kind == .dynamodb {
                    call.output.line(step)
                } else {
                    let text = step.trimmed
                    call.output.line(text.hasSuffix(";") ? text : text + ";")
                }
            }
        }
        return .done
    }

    static let doctor = Command(
        "store doctor", "Finds out how a store is: reach, versions, clocks, tables, rights, and rows of others",
        discussion: """
            Changes nothing. Marks what is good (✓), what could be better (!) and what does not work (✗); ends with 1 if anything does not.
            """,
        examples: [
            .init("perdure store doctor --store postgres://app@db/bank", "what to look at when a service has trouble")
        ]
    ) { call in
        let clock = SystemClock()
        return try await call.withChosenStore { store in
            var findings = [StoreFinding(.good, "store", store.url.kind.title)]
            findings += try await call.inspect(store) { inspection throws(StoreError) in try await inspection.inspect()
            }
            if !findings.contains(where: { $0.verdict == .trouble }) {
                let start = clock.now
                try await store.states.ping()
                findings.append(StoreFinding(.good, "round trip", "\(Milliseconds(clock.now - start).text)"))
                // Where the table of runs is missing that has been said.
                if let runs = store.runs,
                    !findings.contains(where: { $0.verdict != .good && $0.subject == "runs: table" }),
                    !findings.contains(where: { $0.verdict != .good && $0.subject == "runs: tables" })
                {
                    findings += try await Self.workers(runs, now: clock.unixMilliseconds)
                }
            }
            let width = findings.map(\.subject.count).max() ?? 0
            for finding in findings {
                if call.output.isJSON {
                    call.output.json([
                        ("verdict", .string(finding.verdict.rawValue)), ("subject", .string(finding.subject)),
                        ("text", .string(finding.text)),
                    ])
                    continue
                }
                let (mark, style): (String, Output.Style) =
                    switch finding.verdict {
                    case .good: ("✓", .green)
                    case .advice: ("!", .yellow)
                    case .trouble: ("✗", .red)
                    }
                call.output.line(
                    "\(call.output.styled(mark, style)) \(finding.subject.padded(to: width))  \(finding.text.visible)")
            }
            return findings.contains { $0.verdict == .trouble } ? .failed : .done
        }
    }

    /// Who drives runs, and which runs nobody drives any more.
    private static func workers(_ runs: any RunStore, now: Int64) async throws(StoreError) -> [StoreFinding] {
        let workers = try await runs.workers()
        let late = workers.filter { now - $0.renewedAt > $0.leaseMilliseconds }
        var findings = late.map { worker in
            let silence = TookText(milliseconds: now - worker.renewedAt).text
            let lease = TookText(milliseconds: worker.leaseMilliseconds).text
            return StoreFinding(
                .advice, "worker",
                "\(worker.name) was last heard of \(silence) ago, and its lease is \(lease): if it is dead, its runs wait until another worker runs"
            )
        }
        if late.isEmpty {
            findings.append(
                .init(
                    .good, "workers", workers.isEmpty ? "none is registered" : "\(workers.count), each within its lease"
                ))
        }
        var filter = RunFilter()
        filter.statuses = [.parked]
        let parked = try await runs.countRuns(where: filter, now: now)
        if parked > 0 {
            findings.append(
                .init(.advice, "runs", "\(parked) wait for a person's decision; see `perdure run list --status PARKED`")
            )
        }
        return findings
    }

    static let policy = Command(
        "store policy", "Prints the smallest rights with which a program can use the store",
        discussion: """
            For DynamoDB an IAM policy for both tables, indexes included; for PostgreSQL and Cassandra the grants for the URL's role. Setting up and
            listing states take more.
            """,
        options: [
            .init("account", value: "N", "DynamoDB: the account that owns the tables, of 12 digits; else any"),
            .init("listing", "DynamoDB: listing states as well, which scans their table"),
            .init("setup", "DynamoDB: making and changing the tables as well, for whoever deploys"),
        ],
        examples: [
            .init(
                "perdure store policy --store dynamodb://eu-central-1/states_store > policy.json",
                "for a service's role")
        ]
    ) { call in
        let store = try call.storeURL().store(made: true)
        var rights = ChosenStore.Rights()
        rights.account = call.option("account")
        rights.includesListing = call.has("listing")
        rights.includesSetup = call.has("setup")
        if store.url.kind != .dynamodb, let option = ["account", "listing", "setup"].first(where: call.has) {
            throw Misuse("--\(option) is for DynamoDB only")
        }
        let policy: String?
        do throws(StoreError) { policy = try store.policy(rights) } catch { throw Misuse(error.message) }
        guard let policy else {
            throw Misuse("a store in \(store.url.kind.title) has no rights of its own; the file's are what counts")
        }
        call.output.document(policy, as: "policy")
        return .done
    }

    static let alarms = Command(
        "store alarms", "Prints alarms for DynamoDB tables, as a CloudFormation template",
        discussion: """
            They ring when requests are throttled, on the tables or their indexes, and when the service fails. The template's parameter Topic is
            the ARN of the SNS topic that is told.
            """,
        examples: [
            .init(
                "perdure store alarms --store dynamodb://eu-central-1/states_store > alarms.json",
                "for `aws cloudformation deploy --template-file alarms.json`")
        ]
    ) { call in
        let store = try call.storeURL().store(made: true)
        let alarms: String?
        do throws(StoreError) { alarms = try store.alarms() } catch { throw Misuse(error.message) }
        guard let alarms else { throw Misuse("there are alarms for DynamoDB only, not for \(store.url.kind.title)") }
        call.output.document(alarms, as: "alarms")
        return .done
    }
}

extension Output {
    /// Prints a document as it is; for programs, as a text under a name.
    fileprivate func document(_ text: String, as name: String) {
        if self.isJSON { self.json([(name, .string(text))]) } else { self.line(text) }
    }
}

extension Invocation {
    /// Asks everybody who can say how a store is.
    fileprivate func inspect<Answer>(
        _ store: ChosenStore, _ question: (any StoreInspection) async throws(StoreError) -> [Answer]
    ) async throws -> [Answer] {
        let inspections = store.inspections
        guard !inspections.isEmpty else { throw Misuse("a store in \(store.url.kind.title) cannot say how it is") }
        var answers: [Answer] = []
        for inspection in inspections { answers += try await question(inspection) }
        return answers
    }
}

/// A duration in milliseconds with three digits behind the point.
struct Milliseconds: Sendable {
    let microseconds: Int64

    init(_ duration: Duration) {
        self.microseconds =
            duration.components.attoseconds / 1_000_000_000_000 + duration.components.seconds * 1_000_000
    }

    var text: String {
        let rest = String(self.microseconds % 1_000)
        return "\(self.microseconds / 1_000).\(String(repeating: "0", count: max(0, 3 - rest.count)))\(rest) ms"
    }
}

extension String {
    /// Without blanks and line feeds around it.
    fileprivate var trimmed: String {
        var text = self[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text.drop { $0.isWhitespace })
    }
}
