internal import PerdureModel

/// What a definition must keep to work; what the types tell already is not here.
enum DefinitionRules {
    /// The longest name of a step, in bytes of UTF-8: with the number of an element it still fits where IDs go.
    static let maximumNameByteCount = 200

    /// A hundred years: whatever is longer was not meant, and must not overflow anything.
    static let longestDuration = Duration.seconds(100 * 365 * 24 * 3600)

    /// Each reason in words, in the order of the definition.
    static func violations(
        workflow name: String, version: String, nodes: [Node], configuration: WorkflowConfiguration
    ) -> [String] {
        var found: [String] = []
        if let reason = PersistenceID.violation(in: name) {
            found.append("the name \(name.debugDescription) of a workflow does not work: \(reason)")
        }
        if let reason = PersistenceID.violation(in: version) {
            found.append("the version \(version.debugDescription) does not work: \(reason)")
        }
        if nodes.isEmpty { found.append("there is no part: a workflow has at least one step") }
        found += self.violations(of: configuration)
        var names: Set<IDKey> = []
        for (index, node) in nodes.enumerated() {
            if node.inputs.contains(where: { $0 < WorkflowGraph.input || $0 >= index }) {
                found.append("a part takes its input from one that does not come before it")
            }
            if case .gather = node.kind {
                if node.inputs.isEmpty { found.append("a fork has no branch: give it 2 to 6") }
                continue
            }
            let part = "the step \(node.name.debugDescription)"
            if let reason = self.violation(inName: node.name) { found.append("\(part) cannot be called so: \(reason)") }
            if !names.insert(IDKey(node.name)).inserted {
                found.append("two steps are called \(node.name.debugDescription): give each a name of its own")
            }
            found += (self.violations(of: node.kind) + self.violations(of: node.settings)).map { "\(part): \($0)" }
        }
        return found
    }

    private static func violation(inName name: String) -> String? {
        if name.utf8.isEmpty { return "a name must not be empty" }
        if name.utf8.count > self.maximumNameByteCount {
            return "a name has at most \(self.maximumNameByteCount) bytes of UTF-8, this one has \(name.utf8.count)"
        }
        for scalar in name.unicodeScalars {
            switch scalar {
            case "[", "]": return "brackets are for the elements of a loop"
            case "/", "#": return "\"\(scalar)\" separates names in IDs and keys"
            default:
                if scalar.properties.generalCategory == .control { return "control characters are not allowed" }
            }
        }
        return nil
    }

    private static func violations(of configuration: WorkflowConfiguration) -> [String] {
        self.violations(of: configuration.retry)
            + [
                self.positive(configuration.stepTimeout, "the time-out of steps"),
                self.positive(configuration.runTimeout, "the time-out of runs"),
                self.positive(configuration.concurrencyLimit, "the limit of runs"),
                self.positive(configuration.resourceConcurrencyLimit, "the limit of runs per resource"),
                self.notNegative(configuration.retention, "the retention"),
            ].compactMap { $0 }
    }

    private static func violations(of kind: Node.Kind) -> [String] {
        switch kind {
        case .step, .gather, .sleep(.until): []
        case .sleep(.duration(let duration)): [self.notNegative(duration, "the wait")].compactMap { $0 }
        case .signal(let waiting):
            [
                PersistenceID.violation(in: waiting.name).map { "the name of its signal does not work: \($0)" },
                self.notNegative(waiting.timeout, "the time-out of the wait"),
            ].compactMap { $0 }
        case .child(let graph): graph.violations.map { "in its workflow \(graph.name.debugDescription), \($0)" }
        case .loop(let loop): [self.positive(loop.limit, "the limit of elements")].compactMap { $0 }
        }
    }

    private static func violations(of settings: StepSettings) -> [String] {
        var found = settings.retry.map { self.violations(of: $0) } ?? []
        if let reason = self.positive(settings.timeout, "the time-out") { found.append(reason) }
        if let (key, limit) = settings.concurrency {
            if key.utf8.isEmpty { found.append("the key of its concurrency must not be empty") }
            if let reason = self.positive(limit, "the limit of its concurrency") { found.append(reason) }
        }
        return found
    }

    private static func violations(of policy: RetryPolicy) -> [String] {
        var found = [
            self.positive(policy.maximumAttempts, "the number of attempts"),
            self.notNegative(policy.delay, "the pause between attempts"),
            self.notNegative(policy.maximumDelay, "the longest pause between attempts"),
        ].compactMap { $0 }
        if !(0...1).contains(policy.jitter) {
            found.append("the jitter of pauses must be between 0 and 1, it is \(policy.jitter)")
        }
        return found
    }

    private static func positive(_ number: Int?, _ what: String) -> String? {
        guard let number, number < 1 else { return nil }
        return "\(what) must be at least 1, it is \(number)"
    }

    private static func positive(_ duration: Duration?, _ what: String) -> String? {
        guard let duration else { return nil }
        if duration <= .zero { return "\(what) must be more than nothing, it is \(duration)" }
        return self.bounded(duration, what)
    }

    private static func notNegative(_ duration: Duration?, _ what: String) -> String? {
        guard let duration else { return nil }
        if duration < .zero { return "\(what) must not be negative, it is \(duration)" }
        return self.bounded(duration, what)
    }

    private static func bounded(_ duration: Duration, _ what: String) -> String? {
        duration > self.longestDuration ? "\(what) must be at most a hundred years, it is \(duration)" : nil
    }
}
