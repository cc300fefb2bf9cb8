internal import PerdureModel
internal import PerdureState
internal import PerdureStores

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
            let steps = try await call.inspection(of: store).setupSteps()
            for step in steps {
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
            findings += try await call.inspection(of: store).inspect()
            if !findings.contains(where: { $0.verdict == .trouble }) {
                let start = clock.now
                try await store.states.ping()
                findings.append(StoreFinding(.good, "round trip", "\(Milliseconds(clock.now - start).text)"))
            }
            findings.append(
                StoreFinding(.good, "runs", store.runs == nil ? "are not kept here" : "are kept here, beside states"))
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

    static let policy = Command(
        "store policy", "Prints the smallest rights with which a program can use the store",
        discussion: """
            For DynamoDB an IAM policy, indexes included; for PostgreSQL and Cassandra the grants for the URL's role. Setting up takes more.
            """,
        examples: [
            .init(
                "perdure store policy --store dynamodb://eu-central-1/states_store > policy.json",
                "for a service's role")
        ]
    ) { call in
        let store = try call.storeURL().store(made: true)
        guard let policy = (store.states as? any StoreInspection)?.policy else {
            throw Misuse("a store in \(store.url.kind.title) has no rights of its own; the file's are what counts")
        }
        if call.output.isJSON {
            call.output.json([("policy", .string(policy))])
        } else {
            call.output.line(policy)
        }
        return .done
    }
}

extension Invocation {
    fileprivate func inspection(of store: ChosenStore) throws(Misuse) -> any StoreInspection {
        guard let inspection = store.states as? any StoreInspection else {
            throw Misuse("a store in \(store.url.kind.title) cannot say how it is")
        }
        return inspection
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
