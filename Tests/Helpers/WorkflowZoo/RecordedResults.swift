internal import PerdureModel
internal import PerdureWorkflow

/// What is recorded of the steps of a run that have ended, each as a number that stands for all of it.
struct RecordedResults: Sendable {
    /// By the step's ID.
    private(set) var digests: [String: String] = [:]

    init(_ steps: [StepRecord]) {
        for step in steps where step.status.isEnded { self.digests[step.id] = Self.digest(of: step) }
    }

    /// Reads what ``line`` has.
    init(parsing line: String) {
        for part in line.split(separator: ",") {
            let words = part.split(separator: "=").map(String.init)
            if words.count == 2 { self.digests[words[0]] = words[1] }
        }
    }

    /// `STEP=DIGEST,STEP=DIGEST`: no step of the zoo has a comma in its name.
    var line: String { self.digests.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",") }

    private static func digest(of step: StepRecord) -> String {
        let output = (try? step.output?.bytes).map { String(decoding: $0, as: UTF8.self) } ?? "nothing"
        let failure = step.failure.map { "\($0.code) \($0.attempt ?? 0) \($0.message)" } ?? "well"
        let whole = "\(step.status.rawValue) \(step.attempt) \(failure) \(output)"
        return String(PersistenceID.shard(of: whole, among: .max), radix: 36)
    }
}
