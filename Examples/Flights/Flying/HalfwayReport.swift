import Glibc
import Synchronization

/// Tells whoever is to kill the process that half of the rows are done, and from then on how many are acknowledged.
///
/// Each line on standard output has the number of acknowledged rows and the milliseconds since the start. A line goes out in one
/// piece, after the rows that it speaks of are on disk.
final class HalfwayReport: Sendable {
    private let half: Int
    private let isWanted: Bool
    private let last = Atomic<Int>(-1)

    init(at half: Int, isWanted: Bool) {
        self.half = half
        self.isWanted = isWanted
    }

    func update(_ tally: Tally) {
        guard self.isWanted, tally.done >= self.half else { return }
        let acknowledged = tally.acknowledged
        let last = self.last.load(ordering: .relaxed)
        // The first time, and then now and again.
        guard last < 0 || acknowledged >= last + 16,
            self.last.compareExchange(expected: last, desired: acknowledged, ordering: .relaxed).exchanged
        else { return }
        let line = Array("\(acknowledged) \(tally.milliseconds)\n".utf8)
        _ = line.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }
}
