internal import PerdureConcurrency
internal import PerdureIO
internal import PerdureState

/// How jobs of one kind, such as steps of runs to be recorded, travel in batches: many in one ``Transaction``, an answer for each.
///
/// For parts of the store that have statements of their own; states have ``WriteLane``, which looks at refused rows besides.
struct GroupRules<Job: Sendable, Answer: Sendable>: Sendable {
    /// What errors say was being done.
    var operation: StoreError.Operation
    var repetition: Repetition
    /// The statements that do some jobs, which come in the order of their keys' bytes. Batches of several processes must lock
    /// their rows in that order too, see ``StateStatements``.
    var steps: @Sendable (_ jobs: [Job]) -> [Exchange.Step]
    /// The answer of a job that no row speaks of.
    var answer: @Sendable (_ job: Job) -> Answer
    /// Takes a step's rows into the answers, which stand at the places of the jobs.
    var receive:
        @Sendable (_ answers: inout [Answer], _ jobs: [Job], _ step: Int, _ rows: borrowing ServerResult) -> Void
    /// Told of answers that come after an attempt whose own was lost: what was found may be its work.
    var repeated: @Sendable (_ answer: inout Answer) -> Void = { _ in }
    /// About what a job adds to a message, in bytes.
    var weight: @Sendable (_ job: Job) -> Int
}

/// A line of jobs that wait, and the batches under way: group commit for any statements.
///
/// Jobs of one key are done one after the other in the order of their coming, and never in one batch. A lone job goes at once; those
/// that come meanwhile are the next batch. A batch of which the server refuses a row is halved until that row stands alone, so that
/// it fails by itself.
///
/// Only on the loop's thread.
final class GroupLine<Job: Sendable, Answer: Sendable> {
    /// A job, until when it must be done, and who gets the answer, on the loop.
    ///
    /// A batch has the time of the member that has most: by so much a job may be late.
    struct Waiting {
        let job: Job
        let key: IDKey
        let deadline: Duration
        let finish: (Result<Answer, StoreError>) -> Void
    }

    /// How many must wait before a second batch sets out beside the one under way. More than for states: a transaction of several
    /// statements costs more by itself, and rows in one of them less (64 starters of runs: 2,840 a second with it, 2,280 with 16).
    private static var worthALane: Int { 64 }

    private let core: StoreCore
    private let rules: GroupRules<Job, Answer>
    private var line = KeyedBatcher<IDKey, Waiting>(kinds: 1)
    private var batches = 0
    private var isAboutToSetOut = false

    init(_ core: StoreCore, _ rules: GroupRules<Job, Answer>) {
        self.core = core
        self.rules = rules
    }

    func add(_ waiting: Waiting) {
        self.line.append(waiting, key: waiting.key, kind: 0, weight: self.rules.weight(waiting.job) + 64)
        guard !self.isAboutToSetOut else { return }
        self.isAboutToSetOut = true
        // Jobs that came together: the first of them alone would be a batch that costs as much as one of them all.
        self.core.postpone {
            self.isAboutToSetOut = false
            self.setOut()
        }
    }

    /// Sends batches out for what waits: a second one only when it is worth a lane.
    private func setOut() {
        while self.line.readyCount > 0,
            self.batches == 0
                || self.batches < self.core.configuration.pool.maximumWriteBatches
                    && self.line.readyCount >= Self.worthALane
        {
            var group: [Waiting] = []
            _ = self.line.take(
                into: &group, maximumCount: StoreCore.maximumRows, maximumWeight: StoreCore.maximumBytes)
            self.batches += 1
            self.send(group.sorted { $0.key < $1.key }) {
                self.batches -= 1
                self.setOut()
            }
        }
    }

    private func send(_ group: [Waiting], _ done: @escaping () -> Void) {
        let now = self.core.loop.now
        for waiting in group where waiting.deadline <= now {
            self.finish(
                waiting,
                .failure(
                    StoreError(.timeout, operation: self.rules.operation, message: "its turn did not come in time")))
        }
        let group = group.filter { $0.deadline > now }
        guard let deadline = group.map(\.deadline).max() else { return done() }
        let (rules, jobs) = (self.rules, group.map(\.job))
        let transaction = Transaction(
            operation: rules.operation, repetition: rules.repetition, steps: rules.steps(jobs),
            answer: jobs.map(rules.answer), receive: { rules.receive(&$0, jobs, $1, $2) })
        self.core.add(
            PendingTransaction(transaction, isDivisible: group.count > 1, deadline: deadline) { answers, end in
                switch end {
                case .done(let isRepeated):
                    for (waiting, answer) in zip(group, answers) {
                        var answer = answer
                        if isRepeated { rules.repeated(&answer) }
                        self.finish(waiting, .success(answer))
                    }
                    done()
                case .failed(_, isOfOneRow: true) where group.count > 1:
                    self.send(Array(group[..<(group.count / 2)])) {
                        self.send(Array(group[(group.count / 2)...]), done)
                    }
                case .failed(let error, _):
                    for waiting in group { self.finish(waiting, .failure(error)) }
                    done()
                }
            })
    }

    private func finish(_ waiting: Waiting, _ answer: Result<Answer, StoreError>) {
        self.line.finish(waiting.key)
        waiting.finish(answer.mapError { $0.with(persistenceID: waiting.key.id) })
    }
}
