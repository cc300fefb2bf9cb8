internal import PerdureConcurrency

/// What the workflows' names of a trial begin with: trials of one run of the suite take turns with a few.
///
/// A store may remember every workflow that it ever had runs of, and go through all of them where something is listed or counted across
/// workflows. With names of its own for each trial the suite would slow such a store down, in place for good.
final class WorkflowPrefixes: Sendable {
    private struct Contents {
        var free: [String] = []
        var count = 0
    }

    private let token = RunTrial.freshPrefix()
    private let contents = LockedState(Contents())

    /// Lends a prefix that nobody else has.
    func take() -> String {
        self.contents.withLock { contents in
            if let prefix = contents.free.popLast() { return prefix }
            contents.count += 1
            return "\(self.token)-\(contents.count)"
        }
    }

    /// Takes back a prefix after a trial of which nothing is left.
    func giveBack(_ prefix: String) { self.contents.withLock { $0.free.append(prefix) } }
}
