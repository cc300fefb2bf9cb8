import PerdureTestKit

@testable import PerdureWorkflow

/// Definitions made by chance: sequences, forks in forks, loops, sleeps, waits, conditions, retries.
struct RandomGraph {
    private var generator: PerdureTestKit.SeededGenerator
    private var nodes: [Node] = []

    static func make(seed: UInt64) -> WorkflowGraph {
        var random = RandomGraph(generator: PerdureTestKit.SeededGenerator(seed: seed, stream: 2))
        let exit = random.sequence(after: WorkflowGraph.input, depth: 0)
        return WorkflowGraph(
            name: "random", version: "1", nodes: random.nodes, exit: exit,
            configuration: .init(retry: .none, stepTimeout: nil))
    }

    private init(generator: PerdureTestKit.SeededGenerator) { self.generator = generator }

    private mutating func sequence(after input: Int, depth: Int) -> Int {
        var last = input
        for _ in 0..<Int.random(in: 1...4, using: &self.generator) {
            last = self.generator.chance(depth < 2 ? 0.25 : 0) ? self.fork(after: last, depth) : self.part(after: last)
        }
        return last
    }

    private mutating func fork(after input: Int, _ depth: Int) -> Int {
        let branches = (0..<Int.random(in: 2...3, using: &self.generator)).map { _ in
            self.sequence(after: input, depth: depth + 1)
        }
        return self.add(
            Node(
                name: "",
                kind: .gather { outputs in
                    let texts = try outputs.map { try $0.decoded(as: String.self) }
                    return RunValue("[\(texts.joined(separator: ","))]")
                }, inputs: branches))
    }

    private mutating func part(after input: Int) -> Int {
        var settings = StepSettings()
        if self.generator.chance(0.2) {
            settings.condition = { _, _ in true }
            if self.generator.chance(0.5) { settings.otherwise = RunValue("otherwise") }
        }
        let pause = Duration.seconds([0, 1, 100].randomElement(using: &self.generator) ?? 0)
        settings.retry = RetryPolicy(
            maximumAttempts: Int.random(in: 1...4, using: &self.generator), backoff: .linear, delay: pause)
        if self.generator.chance(0.1) { settings.outputAfterFailure = RunValue("failed") }
        if self.generator.chance(0.1) { settings.rerun = .atMostOnce }
        let kind: Node.Kind
        switch Int.random(in: 0..<10, using: &self.generator) {
        case 0:
            settings.outputAfterFailure = nil
            let seconds = [0, 1, 60, 86_400].randomElement(using: &self.generator) ?? 0
            kind = .sleep(.duration(.seconds(seconds)))
        case 1:
            let timeout: Duration? = self.generator.chance(0.5) ? .seconds(60) : nil
            kind = .signal(.init(name: "go", timeout: timeout, isRequired: false) { input, _, _ in input })
        case 2, 3:
            kind = .loop(
                .init(
                    limit: Int.random(in: 1...3, using: &self.generator), elements: { [$0] },
                    handler: { input, _ in input },
                    collect: { outputs in
                        RunValue(try outputs.map { try $0.decoded(as: String.self) }.joined(separator: ";"))
                    }))
        default: kind = .step { input, _ in input }
        }
        return self.add(Node(name: "s\(self.nodes.count)", kind: kind, inputs: [input], settings: settings))
    }

    private mutating func add(_ node: Node) -> Int {
        self.nodes.append(node)
        return self.nodes.count - 1
    }
}
