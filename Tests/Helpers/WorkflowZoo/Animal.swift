package import PerdureWorkflow

/// A workflow of the zoo: what it does, what the world does to its runs, and what must come of them.
package struct Animal: Sendable {
    /// What happens to a run from outside.
    package enum Visit: Sendable, Hashable {
        /// Nothing.
        case none
        /// It is told what it waits for.
        case signal
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

    /// The workflow's name, too.
    package let name: String
    package let workflow: Workflow<Parcel, Parcel>
    package let visit: Visit
    /// Works out what must come of a run, one step after the other.
    package let model: @Sendable (_ number: Int, _ marks: Marks) -> Ending

    init(
        _ workflow: Workflow<Parcel, Parcel>, visit: Visit = .none,
        model: @escaping @Sendable (_ number: Int, _ marks: Marks) -> Ending
    ) {
        self.name = workflow.name
        self.workflow = workflow
        self.visit = visit
        self.model = model
    }
}
