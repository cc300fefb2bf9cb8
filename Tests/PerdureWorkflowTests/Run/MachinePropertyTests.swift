import Glibc
import PerdureTestKit
import Testing

@testable import PerdureWorkflow

/// Random definitions, random outcomes, random order of events and crashes, against a naive interpreter.
@Suite struct MachinePropertyTests {
    /// Another one each time, unless `PERDURE_MACHINE_SEED` says which.
    static let seed =
        getenv("PERDURE_MACHINE_SEED").flatMap { UInt64(String(cString: $0)) } ?? UInt64.random(in: 0...1_000_000_000)

    @Test("without crashes: the same output, and few writes", arguments: 0..<20)
    func calm(_ part: UInt64) {
        for number in 0..<60 {
            let seed = Self.seed &+ part &* 1_000 &+ UInt64(number)
            var world = MachineWorld(
                RandomGraph.make(seed: seed), seed: seed, failureRate: number % 3 == 0 ? 0 : 0.3, crashRate: 0)
            world.run()
            self.judge(world, seed)
            let announced = world.plan.nodes.contains { $0.settings.rerun == .atMostOnce } ? 2 : 1
            // A wait that is begun only when something was asked is stored on its own; so is what must be announced when it is over. (The
            // seed 595634792 made waits with both.)
            let waits = world.plan.nodes.reduce(0) { sum, node in
                let isAsked = node.settings.condition != nil ? 1 : 0
                let isAnnounced = node.settings.rerun == .atMostOnce ? 1 : 0
                return switch node.kind {
                case .signal: sum + isAsked + isAnnounced
                case .sleep: sum + isAsked
                case .step, .gather, .child, .loop: sum
                }
            }
            // A signal wakes a run, also one that waits for something else.
            let most = waits + world.signals + world.expected.stepCount + 2 + world.failedAttempts * announced
            #expect(world.writes <= most, "seed \(seed): \(world.writes) writes instead of \(most)\n\(world.trace)")
        }
    }

    @Test("with crashes at any moment: the same output, nothing recorded twice", arguments: 0..<20)
    func crashing(_ part: UInt64) {
        for number in 0..<60 {
            let seed = Self.seed &+ part &* 1_000 &+ UInt64(number)
            var world = MachineWorld(
                RandomGraph.make(seed: seed), seed: seed, failureRate: number % 3 == 0 ? 0 : 0.3, crashRate: 0.1)
            world.run()
            self.judge(world, seed)
        }
    }

    private func judge(_ world: MachineWorld, _ seed: UInt64) {
        #expect(world.violations.isEmpty, "seed \(seed): \(world.violations)\n\(world.trace)")
        let output = try? world.record?.progress.output?.decoded(as: String.self)
        #expect(output == world.expected.output, "seed \(seed)\n\(world.trace)")
        #expect(
            world.record?.status == (world.expected.output == nil ? .failed : .completed),
            "seed \(seed)\n\(world.trace)")
        if world.expected.output != nil {
            #expect(world.record?.progress.progress == 1, "seed \(seed)")
        }
    }
}
