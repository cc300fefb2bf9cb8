import PerdureModel
import Testing

@testable import PerdureWorkflow

@Suite("Graphs that chance made")
struct RandomGraphTests {
    @Test("keep their order, have one exit, and know what comes before what")
    func structure() {
        var generator = SeededGenerator(seed: SeededGenerator.printedSeed("random graphs"))
        for _ in 0..<100 {
            let flow = RandomFlow(depth: 4, using: &generator)
            let graph = flow.workflow.graph
            #expect(graph.violations == [])
            let recorded = graph.nodes.indices.filter { !graph.nodes[$0].isVirtual }
            #expect(recorded.map { graph.nodes[$0].name } == flow.names)
            #expect(recorded.map { graph.positions[$0] } == Array(0..<flow.count))
            #expect(graph.stepCount == flow.count)
            for (index, node) in graph.nodes.enumerated() {
                #expect(node.inputs.allSatisfy { (WorkflowGraph.input..<index).contains($0) })
                #expect(node.isVirtual ? (2...6).contains(node.inputs.count) : node.inputs.count == 1)
            }
            let consumed = Set(graph.nodes.flatMap(\.inputs))
            #expect(graph.nodes.indices.filter { !consumed.contains($0) } == [graph.exit])
            let ancestors = flow.ancestors
            for index in recorded {
                let before = graph.ancestors[index].filter { !graph.nodes[$0].isVirtual }.map { graph.nodes[$0].name }
                #expect(Set(before) == ancestors[graph.nodes[index].name])
                #expect(graph.ancestors[index] == graph.ancestors[index].sorted())
                #expect(graph.index(ofStep: graph.nodes[index].name) == index)
            }
            for _ in 0..<20 {
                let (a, b) = (
                    graph.nodes.indices.randomElement(using: &generator) ?? 0,
                    graph.nodes.indices.randomElement(using: &generator) ?? 0
                )
                #expect(graph.isAncestor(a, of: b) == graph.ancestors[b].contains(a))
            }
        }
    }

    @Test("come to what they are written to")
    func outputs() async throws {
        var generator = SeededGenerator(seed: SeededGenerator.printedSeed("random graphs' outputs"))
        for _ in 0..<100 {
            let flow = RandomFlow(depth: 4, using: &generator)
            let input = Int.random(in: -99...99, using: &generator)
            let (live, stored) = try await flow.workflow.outputs(for: input)
            #expect(live == flow.output(for: input))
            #expect(stored == live)
        }
    }

    @Test("have other hashes behind what was renamed, retyped, or made of another kind, and only there")
    func hashes() {
        var generator = SeededGenerator(seed: SeededGenerator.printedSeed("random graphs' hashes"))
        for _ in 0..<100 {
            let graph = RandomFlow(depth: 4, using: &generator).workflow.graph
            let recorded = graph.nodes.indices.filter { !graph.nodes[$0].isVirtual }
            let changed = recorded.randomElement(using: &generator) ?? 0
            var nodes = graph.nodes
            let node = nodes[changed]
            switch Int.random(in: 0..<3, using: &generator) {
            case 0:
                nodes[changed] = Node(name: "new", kind: node.kind, inputs: node.inputs, outputType: node.outputType)
            case 1: nodes[changed].outputType += "?"
            default:
                nodes[changed] = Node(
                    name: node.name, kind: .child(graph), inputs: node.inputs, outputType: node.outputType)
            }
            let other = WorkflowGraph(name: "other", version: "9", nodes: nodes, inputType: graph.inputType)
            for index in graph.nodes.indices {
                let differs = other.hashes[index] != graph.hashes[index]
                #expect(differs == (index == changed || graph.isAncestor(changed, of: index)))
            }
            #expect(other.hash != graph.hash)
        }
    }

    @Test("are drawn with every step once, where it belongs")
    func pictures() {
        var generator = SeededGenerator(seed: SeededGenerator.printedSeed("random graphs' pictures"))
        for _ in 0..<60 {
            let flow = RandomFlow(depth: 4, using: &generator)
            let graph = flow.workflow.graph
            let names = graph.text().split(separator: "\n").dropFirst().compactMap { line in
                line.split(separator: " ").first { $0.first == "n" && $0.dropFirst().first?.isNumber == true }
            }.map { $0.hasSuffix(":") ? String($0.dropLast()) : String($0) }
            #expect(names == flow.names)
            Self.checkMermaid(graph)
        }
    }

    /// Each line goes from a shape that is there to another, and each step is reached exactly over the steps right before it.
    private static func checkMermaid(_ graph: WorkflowGraph) {
        let lines = graph.mermaid().split(separator: "\n").dropFirst().map { $0.trimmingPrefix(while: { $0 == " " }) }
        let edges = lines.filter { $0.contains(" --> ") }.map { $0.split(separator: " ") }
        let shapes = lines.filter { !$0.contains(" --> ") }.map { $0.prefix { $0.isLetter || $0.isNumber } }
        #expect(Set(shapes).count == shapes.count)
        for edge in edges {
            #expect(edge.count == 3 && shapes.contains(edge[0]) && shapes.contains(edge[2]))
        }
        #expect(Set(edges).count == edges.count)
        for (index, node) in graph.nodes.enumerated() where !node.isVirtual {
            #expect(edges.contains { $0[2] == "s\(index)" })
            #expect(edges.contains { $0[0] == "s\(index)" })
        }
    }
}
