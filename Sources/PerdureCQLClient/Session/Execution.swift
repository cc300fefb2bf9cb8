internal import PerdureCQL
internal import PerdureIO

/// A caller's request on its way.
///
/// `@unchecked Sendable`: the caller makes it and hands it over under a lock; from then on only the loop's thread touches it,
/// until it resumes the caller, which looks at it no more.
final class Execution: @unchecked Sendable {
    /// What is asked.
    enum Content {
        case statement(CQLStatement)
        case text(String)
        case batch(CQLBatchKind, [CQLBatch.Part])
        case prepare(String)
        /// When nodes agree on the schema.
        case agreement
    }

    /// What the caller gets.
    enum Answer {
        /// A frame to decode, and the columns that the node knows the statement by.
        case frame(CQLFrame, from: CQLEndpoint, columns: [CQLColumn])
        case prepared(CQLPreparedStatement, from: CQLEndpoint)
        case done
        case failure(CQLClientError)
    }

    // An unsafe continuation: a checked one allocates, and there is one for each request. Every path of the loop ends in
    // `answer(_:)`, which takes it out, so that it is resumed once.
    typealias Caller = UnsafeContinuation<Answer, Never>

    /// A try under way.
    struct Try {
        let node: NodeLink
        /// Nil while the node learns the statement.
        var place: (connection: Connection, stream: CQLStream)?
    }

    let content: Content
    /// The values, written where the caller is, so that what binds them need not be `Sendable`.
    var values: CQLBoundValues
    let options: CQLQueryOptions
    let route: CQLLoadBalancing.Request
    let timeout: Duration
    private var caller: Caller?

    /// The intake's, under its lock.
    enum Presence {
        case away
        case left
        case cancelled
    }
    var presence = Presence.away

    // The loop's.
    var course: RequestCourse
    var deadline = Duration.zero
    /// Its place among those that are under way.
    var slot = -1
    /// The try under way; with speculation there are `otherTries` too.
    var firstTry: Try?
    var otherTries: [Try] = []
    /// The nodes that had their turn, once more than one is needed.
    var tried: [NodeLink] = []
    var speculationTimer: EventLoop.TimerID?

    init(
        _ content: Content, values: consuming CQLBoundValues, options: CQLQueryOptions, route: CQLLoadBalancing.Request,
        timeout: Duration, course: RequestCourse
    ) {
        self.content = content
        self.values = values
        self.options = options
        self.route = route
        self.timeout = timeout
        self.course = course
    }

    /// Says who waits; before it is handed over.
    func wait(_ caller: Caller) { self.caller = caller }

    /// Whether the caller has its answer.
    var isOver: Bool { self.caller == nil }

    func answer(_ answer: Answer) {
        guard let caller = self.caller.take() else { return }
        caller.resume(returning: answer)
    }

    // MARK: Tries

    func begin(at node: NodeLink) {
        self.course.began()
        if self.firstTry == nil {
            self.firstTry = Try(node: node)
        } else {
            self.otherTries.append(Try(node: node))
        }
    }

    /// The try at `node` was written to a connection.
    func sent(at node: NodeLink, on connection: Connection, _ stream: CQLStream) {
        if self.firstTry?.node === node {
            self.firstTry?.place = (connection, stream)
        } else if let index = self.otherTries.firstIndex(where: { $0.node === node }) {
            self.otherTries[index].place = (connection, stream)
        }
    }

    /// What was sent to `node` was answered, but the try goes on.
    func withdrawn(at node: NodeLink) {
        if self.firstTry?.node === node {
            self.firstTry?.place = nil
        } else if let index = self.otherTries.firstIndex(where: { $0.node === node }) {
            self.otherTries[index].place = nil
        }
    }

    func hasTry(at node: NodeLink) -> Bool {
        self.firstTry?.node === node || self.otherTries.contains { $0.node === node }
    }

    /// The try at `node` is over.
    func endTry(at node: NodeLink) {
        if self.firstTry?.node === node {
            self.firstTry = self.otherTries.popLast()
        } else {
            self.otherTries.removeAll { $0.node === node }
        }
    }

    func takeTries() -> [Try] {
        var tries = self.otherTries
        if let first = self.firstTry { tries.append(first) }
        self.firstTry = nil
        self.otherTries = []
        return tries
    }
}

extension Execution {
    /// Whether anything of it was handed to a connection whose answer is still to come.
    var isSent: Bool { self.firstTry?.place != nil || self.otherTries.contains { $0.place != nil } }

    var isPreparation: Bool { if case .prepare = self.content { true } else { false } }
}
