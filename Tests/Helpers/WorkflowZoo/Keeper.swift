internal import PerdureModel
package import PerdureWorkflow
internal import Waiting

/// Whoever has runs of the zoo begun, and does to them what the world does.
///
/// Everything may be done again after a crash.
package struct Keeper: Sendable {
    private let engine: WorkflowEngine
    private let witness: Witness

    /// A keeper who works through `engine`.
    package init(_ engine: WorkflowEngine, _ witness: Witness) {
        self.engine = engine
        self.witness = witness
    }

    /// The ID of an animal's run of that number.
    package static func id(of animal: Animal, _ number: Int) -> String { "\(animal.name)-\(number)" }

    /// Starts a run, unless it is there already.
    package func start(_ animal: Animal, _ number: Int) async throws {
        try await self.engine.start(animal.workflow, Parcel(number), id: Self.id(of: animal, number))
    }

    /// Does to a run what the world does to it.
    package func visit(_ animal: Animal, _ number: Int) async throws {
        let id = Self.id(of: animal, number)
        switch animal.visit {
        case .none: break
        case .signals:
            for (place, signal) in Animal.signals.enumerated() {
                try await self.engine.signal(id, "go", number + place, id: signal.id)
            }
            // Told once more: it counts once.
            try await self.engine.signal(id, "go", number, id: Animal.signals[0].id)
        case .cancel: try await self.engine.cancel(id)
        }
    }

    /// Waits until a run has ended, answering its questions.
    package func end(of animal: Animal, _ number: Int) async throws {
        let id = Self.id(of: animal, number)
        _ = try await poll(while: { true }) {
            guard let run = try await self.engine.describe(id)?.run, !run.status.isEnded else { return true }
            if run.status == .parked { try await self.answer(id) }
            return false
        }
    }

    /// Lets a parked run go on, and the step that must run at most once run again.
    package func answer(_ runID: String) async throws {
        guard let steps = try await self.engine.describe(runID)?.steps,
            let step = steps.first(where: { $0.status == .running })
        else { return }
        self.witness.decided(runID)
        do {
            try await self.engine.resume(runID, step: step.id, deciding: .runAgain)
        } catch let error as WorkflowError where error.code == .validation {
            // Somebody else has answered.
        }
    }
}
