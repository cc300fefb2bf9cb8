internal import PerdureConcurrency
internal import Synchronization

/// Sees to it that no write waits longer than its deadline, even while the disk does not answer.
///
/// Time goes by in ticks of an eighth of the deadline, so that a write need not read a clock.
final class WriteWatch: Sendable {
    private let ticks = Atomic<UInt32>(0)
    private let current = LockedState<WriteBatch?>(nil)

    /// A write that came at a tick has had its whole deadline once so many more have gone by.
    private static let patience: UInt32 = 9

    /// The time that a write comes at.
    var now: UInt32 { self.ticks.load(ordering: .relaxed) }

    /// Tells which batch is under way.
    func follow(_ batch: WriteBatch?) { self.current.withLock { $0 = batch } }

    /// Ticks until the line is closed.
    func run(_ line: BatchQueue<WriteJob>, deadline: Duration) {
        while line.sleepWhileOpen(nanoseconds: deadline.nanoseconds / 8) { self.tick(line, deadline: deadline) }
    }

    private func tick(_ line: BatchQueue<WriteJob>, deadline: Duration) {
        let now = self.ticks.add(1, ordering: .relaxed).newValue
        func isOverdue(_ job: WriteJob) -> Bool { now &- job.arrival >= Self.patience }

        for job in line.withdraw(weight: \.weight, where: isOverdue) {
            job.finish(
                .failed(
                    StoreError(
                        .timeout, operation: job.operation, persistenceID: job.id,
                        message: "the write waited in line for its whole deadline of \(deadline) and was withdrawn;"
                            + " the disk is too slow for what is asked of it, or another process keeps it locked")))
        }
        self.current.withLock { $0 }?.expire(where: isOverdue) { job in
            StoreError(
                .timeout, outcome: .unknown, operation: job.operation, persistenceID: job.id,
                message: "the write was being carried out when its deadline of \(deadline) ended;"
                    + " read the state again before deciding anything")
        }
    }
}
