internal import PerdureModel
internal import PerdureState
internal import PerdureWorkflow

/// The lines in which creations, changes and messages of runs wait, each batch one transaction; see ``GroupLine``.
///
/// Only on the loop's thread.
final class RunLines {
    /// What became of a change: the count of its run's messages, or nothing where its condition did not hold.
    struct CommitAnswer: Sendable {
        var inboxCount: UInt64?
        /// Whether an attempt before may have made it.
        var isRepeated = false
    }

    private let core: StoreCore
    let creations: GroupLine<CreateJob, Bool>
    let commits: GroupLine<CommitJob, CommitAnswer>
    let posts: GroupLine<EncodedPost, PostVerdict>
    /// Runs that a worker is done with, to be told when the notification under way is gone.
    private var left: [(id: String, isEnded: Bool)] = []
    private var isTelling = false

    init(_ core: StoreCore) {
        self.core = core
        self.creations = GroupLine(core, Self.creating)
        self.commits = GroupLine(core, Self.committing)
        self.posts = GroupLine(core, Self.posting)
    }

    private static let creating = GroupRules<CreateJob, Bool>(
        operation: .write, repetition: .idempotent, steps: { RunStatements.create($0) }, answer: { _ in false },
        receive: { answers, _, _, rows in
            guard rows.columnCount == 1 else { return }
            for row in 0..<rows.rowCount {
                guard let number = rows.integer(row, 0), answers.indices.contains(Int(number)) else { continue }
                answers[Int(number)] = true
            }
        }, weight: { $0.weight + 512 })

    private static let committing = GroupRules<CommitJob, CommitAnswer>(
        operation: .write, repetition: .idempotent, steps: { RunStatements.commit($0) },
        answer: { _ in CommitAnswer() },
        receive: { answers, jobs, step, rows in
            let places = RunStatements.CommitPlaces(jobs)
            if step == places.commit {
                for row in 0..<rows.rowCount {
                    guard let number = rows.integer(row, 0), answers.indices.contains(Int(number)) else { continue }
                    answers[Int(number)].inboxCount = UInt64(clamping: rows.integer(row, 1) ?? 0)
                }
            } else if step == places.posts {
                let posts = jobs.enumerated().flatMap { number, job in job.posts.map { (number, $0) } }
                for row in 0..<rows.rowCount where rows.boolean(row, 3) {
                    guard let place = rows.integer(row, 0), posts.indices.contains(Int(place)) else { continue }
                    let (number, post) = posts[Int(place)]
                    // What a run posts to itself it is told of.
                    guard IDKey(post.runID) == IDKey(jobs[number].runID) else { continue }
                    answers[number].inboxCount? += 1
                }
            }
        }, repeated: { $0.isRepeated = true }, weight: { $0.weight + 512 })

    private static let posting = GroupRules<EncodedPost, PostVerdict>(
        operation: .write, repetition: .idempotent,
        steps: { posts in
            [
                RunStatements.lock(posts.map(\.runID)),
                RunStatements.post(posts.map { (nil, WriteID(high: 0, low: 0), $0) }),
            ]
        }, answer: { _ in .notFound },
        receive: { answers, _, step, rows in
            guard step == 1 else { return }
            for row in 0..<rows.rowCount {
                guard let number = rows.integer(row, 0), answers.indices.contains(Int(number)) else { continue }
                if rows.boolean(row, 3) {
                    answers[Int(number)] = .posted
                } else if rows.boolean(row, 2) {
                    answers[Int(number)] = .duplicate
                } else if let status = RunStatus(rawValue: rows.text(row, 1)) {
                    answers[Int(number)] = status.isEnded ? .ended(status) : .duplicate
                }
            }
        },
        // Whether it was the attempt before that stored it, or another, makes no difference to who asked: it is there.
        repeated: { if $0 == .duplicate { $0 = .posted } }, weight: { ($0.payload?.count ?? 0) + 256 })

    // MARK: Notices

    /// Tells everybody, soon, that a worker is done with a run.
    ///
    /// A transaction of its own that writes nothing: commits with notices go one after the other in the whole cluster, and most
    /// changes would have one. What many changes have to tell goes together.
    func tell(_ runID: String, isEnded: Bool) {
        self.left.append((runID, isEnded))
        // One batch of changes ends many runs.
        if self.left.count == 1 { self.core.postpone { self.tellLeft() } }
    }

    private func tellLeft() {
        guard !self.isTelling, !self.left.isEmpty else { return }
        self.isTelling = true
        let some = Array(self.left.prefix(StoreCore.maximumRows))
        self.left.removeFirst(some.count)
        let transaction = Transaction(
            operation: .write, repetition: .reading, steps: [RunStatements.tellLeft(some)], answer: (),
            receive: { _, _, _ in })
        let deadline = self.core.loop.now + self.core.configuration.writeTimeout
        self.core.add(
            PendingTransaction(transaction, deadline: deadline) { _, _ in
                self.isTelling = false
                self.tellLeft()
            })
    }
}
