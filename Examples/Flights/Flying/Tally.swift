import Synchronization

/// How far the flying has come: counted by many tasks at once, read by whoever shows it.
final class Tally: Sendable {
    /// How many rows to expect, bad ones included.
    let expected: Int
    private let countedRows = Atomic<Int>(0)
    private let countedBeforeRows = Atomic<Int>(0)
    private let badRows = Atomic<Int>(0)
    private let begin = ContinuousClock.now
    /// Milliseconds from the beginning to the end of the flying; 0 until then.
    private let flown = Atomic<Int>(0)

    init(expecting expected: Int) { self.expected = expected }

    /// Rows that are in a logbook because of this run.
    var counted: Int { self.countedRows.load(ordering: .acquiring) }
    /// Rows that an earlier run had put into a logbook.
    var countedBefore: Int { self.countedBeforeRows.load(ordering: .acquiring) }
    var bad: Int { self.badRows.load(ordering: .acquiring) }
    /// Rows that a logbook answered for: they are on disk.
    var acknowledged: Int { self.counted + self.countedBefore }
    /// Rows that are done with, one way or the other.
    var done: Int { self.acknowledged + self.bad }
    /// How long the flying has taken so far, or took.
    var milliseconds: Int {
        let flown = self.flown.load(ordering: .acquiring)
        return flown > 0 ? flown : max(1, Int((ContinuousClock.now - self.begin) / .milliseconds(1)))
    }

    /// All rows are done with: what follows is not flying.
    func land() { self.flown.store(self.milliseconds, ordering: .releasing) }

    func add(_ reply: Aircraft.Reply) {
        if reply == .countedBefore {
            self.countedBeforeRows.add(1, ordering: .acquiringAndReleasing)
        } else {
            self.countedRows.add(1, ordering: .acquiringAndReleasing)
        }
    }

    func addBadRow() { self.badRows.add(1, ordering: .acquiringAndReleasing) }
}
