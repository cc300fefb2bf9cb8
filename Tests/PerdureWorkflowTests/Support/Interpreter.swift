import PerdureModel

@testable import PerdureWorkflow

/// Works a graph out, node by node, without a store, without time, and without failures: what an engine must come to as well.
struct Interpreter {
    let graph: WorkflowGraph
    /// What signals bring, by name; those that are not there do not come in time.
    var signals: [String: RunValue] = [:]
    /// Whether each value is stored and read again before it is handed on.
    var storesValues = false

    /// What a run gives.
    func output(for input: some Codable & Sendable) async throws -> RunValue {
        var outputs: [RunValue] = []
        for node in self.graph.nodes {
            let inputs = node.inputs.map { $0 == WorkflowGraph.input ? RunValue(input) : outputs[$0] }
            outputs.append(try self.handedOn(await self.output(of: node, inputs)))
        }
        return self.graph.exit == WorkflowGraph.input ? RunValue(input) : outputs[self.graph.exit]
    }

    private func output(of node: Node, _ inputs: [RunValue]) async throws -> RunValue {
        if case .gather(let gather) = node.kind { return try gather(inputs) }
        let input = inputs[0]
        let context = StepContext.ofATest(step: node.name)
        do {
            try node.settings.validation?(input)
            if let condition = node.settings.condition, try await !condition(input, context) {
                return node.settings.otherwise ?? input
            }
            switch node.kind {
            case .gather: return input
            case .sleep(.duration): return input
            case .sleep(.until(let time)):
                _ = try time(input)
                return input
            case .step(let handler): return try await handler(input, context)
            case .signal(let waiting):
                return try await waiting.handler(input, self.signals[waiting.name], context)
            case .child(let graph):
                return try await Interpreter(graph: graph, signals: self.signals, storesValues: self.storesValues)
                    .output(ofBytes: input.bytes)
            case .loop(let loop):
                var results: [RunValue] = []
                for element in try loop.elements(input) {
                    results.append(try self.handedOn(await loop.handler(try self.handedOn(element), context)))
                }
                return try loop.collect(results)
            }
        } catch {
            guard let output = node.settings.outputAfterFailure else { throw error }
            return output
        }
    }

    private func output(ofBytes bytes: [UInt8]) async throws -> RunValue {
        var outputs: [RunValue] = []
        for node in self.graph.nodes {
            let inputs = node.inputs.map { $0 == WorkflowGraph.input ? RunValue(bytes: bytes) : outputs[$0] }
            outputs.append(try self.handedOn(await self.output(of: node, inputs)))
        }
        return self.graph.exit == WorkflowGraph.input ? RunValue(bytes: bytes) : outputs[self.graph.exit]
    }

    private func handedOn(_ value: RunValue) throws -> RunValue {
        self.storesValues ? RunValue(bytes: try value.bytes) : value
    }
}

extension Workflow {
    /// What a run gives, with the values as the program has them, and again as they are read from a store; both must be the same.
    func outputs(
        for input: Input, signals: [String: RunValue] = [:]
    ) async throws -> (live: Output, stored: Output) {
        var interpreter = Interpreter(graph: self.graph, signals: signals)
        let live = try await interpreter.output(for: input)
        interpreter.storesValues = true
        let stored = try await interpreter.output(for: input)
        return (try live.decoded(), try stored.decoded())
    }
}

extension StepContext {
    /// The context of the first attempt of a step of a run that there is not.
    static func ofATest(step: String = "step") -> StepContext {
        StepContext(runID: "run", step: step, attempt: 1, source: NoRun())
    }

    private final class NoRun: StepContextSource {
        var request: RunRequest {
            RunRequest(id: "run", workflow: "none", version: "1", input: RunValue(0), createdAt: 0)
        }
        var isCancelled: Bool { false }
        var remainingTime: Duration? { nil }
        var observer: (any EventObserver)? { nil }
        func output(ofStep name: String) -> RunValue? { nil }
        func state(_ key: String) -> RunValue? { nil }
        func setState(_ key: String, to value: RunValue?) {}
    }
}
