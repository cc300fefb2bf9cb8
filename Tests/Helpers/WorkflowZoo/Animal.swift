package import PerdureWorkflow

/// A workflow of the zoo: what it does, what the world does to its runs, and what must come of them.
package struct Animal: Sendable {
    /// What happens to a run from outside.
    package enum Visit: Sendable, Hashable {
        /// Nothing.
        case none
        /// It is told what it waits for: each of ``Animal/signals``.
        case signals
        /// It is cancelled.
        case cancel
    }

    /// How a run must end.
    package enum Ending: Sendable, Hashable, CustomStringConvertible {
        case completed(Parcel)
        case failed(step: String, message: String)
        case cancelled

        package var description: String {
            switch self {
            case .completed(let parcel): "completed with \(parcel.number) \(parcel.trail)"
            case .failed(let step, let message): "failed at \(step): \(message)"
            case .cancelled: "cancelled"
            }
        }
    }

    /// The mark of the recorded execution of a step; those of children are asked for with the path to them, as `child/step`.
    package typealias Marks = (String) -> String

    /// A sleep, and how many milliseconds the step after it must wait for that at least.
    package struct Rest: Sendable {
        let step: String
        let next: String
        let milliseconds: Int64
    }

    /// The IDs of the signals that a run is told, and the steps that must take them, both in their order. All have one name.
    package static let signals = [(id: "the first", step: "go"), (id: "the second", step: "go on")]

    /// The workflow's name, too.
    package let name: String
    package let workflow: Workflow<Parcel, Parcel>
    package let visit: Visit
    /// Works out what must come of a run, one step after the other.
    package let model: @Sendable (_ number: Int, _ marks: Marks) -> Ending
    /// The number of the last attempt that must be recorded of steps that fail.
    let attempts: [String: Int]
    let rest: Rest?
    /// The steps that start runs of their own.
    let children: [String]

    init(
        _ workflow: Workflow<Parcel, Parcel>, visit: Visit = .none, attempts: [String: Int] = [:], rest: Rest? = nil,
        children: [String] = [],
        model: @escaping @Sendable (_ number: Int, _ marks: Marks) -> Ending
    ) {
        self.name = workflow.name
        self.workflow = workflow
        self.visit = visit
        self.attempts = attempts
        self.rest = rest
        self.children = children
        self.model = model
    }
}
