import PerdureTestKit
import Testing

@testable import PerdureWorkflow

/// Random definitions, random outcomes, random order of events and crashes, against a naive interpreter.
@Suite struct MachinePropertyTests {
    static let seed = UInt64.random(in: 0...1_000_000_000)

    @Test("without crashes: the same output, and few writes", arguments: 0..<20)
    func calm(_ part: UInt64) {
        for number in 0..<60 {
            let seed = Self.seed &+ part &* 1_000 &+ UInt64(number)
            var world = MachineWorld(
                RandomGraph.make(seed: seed), seed: seed, failureRate: number % 3 == 0 ? 0 : 0.3, crashRate: 0)
            world.run()
            self.judge(world, seed)
            let announced = world.plan.nodes.contains { $0.settings.rerun == .atMostOnce } ? 2 : 1
            // A wait that is only begun, or followed, by something that must be asked or announced first is stored on its own.
            let waits = world.plan.nodes.count { node in
                switch node.kind {
                case .signal: return node.settings.condition != nil || node.settings.rerun == .atMostOnce
                case .sleep: return node.settings.condition != nil
                case .step, .gather, .child, .loop: return false
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
