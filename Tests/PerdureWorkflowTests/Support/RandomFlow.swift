@testable import PerdureWorkflow

/// A workflow that chance made, and what it must come to: worked out from the way it is written, without its graph.
struct RandomFlow {
    /// How it is written.
    indirect enum Shape {
        case add(String, Int)
        case sleep(String)
        case row([Shape])
        /// Branches side by side, and the step that adds their outputs up.
        case fork([Shape], join: String)
    }

    let shape: Shape
    /// How many names there are.
    let count: Int

    init(depth: Int, using generator: inout some RandomNumberGenerator) {
        var count = 0
        self.shape = Self.shape(depth: depth, &count, using: &generator)
        self.count = count
    }

    private static func shape(
        depth: Int, _ count: inout Int, using generator: inout some RandomNumberGenerator
    ) -> Shape {
        func name() -> String {
            defer { count += 1 }
            return "n\(count)"
        }
        switch depth == 0 ? Int.random(in: 0..<4, using: &generator) : Int.random(in: 0..<10, using: &generator) {
        case 0..<3: return .add(name(), Int.random(in: -9...9, using: &generator))
        case 3: return .row([.sleep(name()), .add(name(), 1)])
        case 4..<7:
            let length = Int.random(in: 1...4, using: &generator)
            return .row((0..<length).map { _ in Self.shape(depth: depth - 1, &count, using: &generator) })
        default:
            let width = Int.random(in: 2...6, using: &generator)
            let branches = (0..<width).map { _ in Self.shape(depth: depth - 1, &count, using: &generator) }
            return .fork(branches, join: name())
        }
    }

    /// Built as the program builds it.
    var workflow: Workflow<Int, Int> { Workflow("random") { Self.flow(of: self.shape) } }

    private static func flow(of shape: Shape) -> Flow<Int, Int> {
        switch shape {
        case .add(let name, let number): return Flow(Step(name) { (i: Int) in i &+ number }.node)
        case .sleep(let name): return Flow(Sleep(name, for: .seconds(1)).node)
        case .row(let shapes):
            return shapes.dropFirst().reduce(self.flow(of: shapes[0])) { $0.followed(by: self.flow(of: $1)) }
        case .fork(let shapes, let join):
            let b = shapes.map { self.flow(of: $0) }
            // Twice the first, three times the second: the order of the branches counts.
            switch b.count {
            case 2:
                return ForkBuilder.buildBlock(b[0], b[1]).followed(
                    by: Join(join) { (a: Int, b: Int) in 2 &* a &+ 3 &* b }.parts)
            case 3:
                return ForkBuilder.buildBlock(b[0], b[1], b[2]).followed(
                    by: Join(join) { (a: Int, b: Int, c: Int) in 2 &* a &+ 3 &* b &+ 4 &* c }.parts)
            case 4:
                return ForkBuilder.buildBlock(b[0], b[1], b[2], b[3]).followed(
                    by: Join(join) { (a: Int, b: Int, c: Int, d: Int) in 2 &* a &+ 3 &* b &+ 4 &* c &+ 5 &* d }.parts)
            case 5:
                return ForkBuilder.buildBlock(b[0], b[1], b[2], b[3], b[4]).followed(
                    by: Join(join) { (a: Int, b: Int, c: Int, d: Int, e: Int) in
                        let first = 2 &* a &+ 3 &* b &+ 4 &* c
                        return first &+ 5 &* d &+ 6 &* e
                    }.parts)
            default:
                return ForkBuilder.buildBlock(b[0], b[1], b[2], b[3], b[4], b[5]).followed(
                    by: Join(join) { (a: Int, b: Int, c: Int, d: Int, e: Int, f: Int) in
                        let first = 2 &* a &+ 3 &* b &+ 4 &* c
                        return first &+ 5 &* d &+ 6 &* e &+ 7 &* f
                    }.parts)
            }
        }
    }

    /// What a run gives.
    func output(for input: Int) -> Int { Self.output(of: self.shape, for: input) }

    private static func output(of shape: Shape, for input: Int) -> Int {
        switch shape {
        case .add(_, let number): input &+ number
        case .sleep: input
        case .row(let shapes): shapes.reduce(input) { self.output(of: $1, for: $0) }
        case .fork(let shapes, _):
            shapes.enumerated().reduce(0) { $0 &+ ($1.offset + 2) &* self.output(of: $1.element, for: input) }
        }
    }

    /// The names of the steps that come before each, by its name.
    var ancestors: [String: Set<String>] {
        var found: [String: Set<String>] = [:]
        _ = Self.note(self.shape, after: [], in: &found)
        return found
    }

    /// Notes what comes before each step of a shape, and returns what comes before that which follows.
    private static func note(
        _ shape: Shape, after before: Set<String>, in found: inout [String: Set<String>]
    ) -> Set<String> {
        switch shape {
        case .add(let name, _), .sleep(let name):
            found[name] = before
            return before.union([name])
        case .row(let shapes): return shapes.reduce(before) { self.note($1, after: $0, in: &found) }
        case .fork(let shapes, let join):
            let all = shapes.reduce(before) { $0.union(self.note($1, after: before, in: &found)) }
            found[join] = all
            return all.union([join])
        }
    }

    /// The names in the order in which they are written.
    var names: [String] { Self.names(of: self.shape) }

    private static func names(of shape: Shape) -> [String] {
        switch shape {
        case .add(let name, _), .sleep(let name): [name]
        case .row(let shapes): shapes.flatMap { self.names(of: $0) }
        case .fork(let shapes, let join): shapes.flatMap { self.names(of: $0) } + [join]
        }
    }
}
