import Glibc
import Peers
import PerdureCQL
import PerdureConcurrency
import PerdureIO

/// A node of Cassandra that knows just what tests ask, in process and on loopback, in versions 4 and 5.
///
/// It remembers what was written to it. What it takes and says can be cut at any byte, come in any pieces, or be noise.
final class ScriptedNode: Sendable {
    /// What a node says of itself, and what it does.
    struct Settings: Sendable {
        var versions: [CQLVersion] = [.v4, .v5]
        /// The version that it says a rejected connection should have spoken; nil: it closes without a word.
        var credentials: CQLPlainCredentials?
        var hasNewPeersTable = true
        var dataCenter = "dc1"
        var tokens: [Int64] = [0]
        var number: UInt64 = 1
        /// The schema's version, and after how many looks at it the peers have the same.
        var agreesAfter = 0
        /// What is answered to a user's request; nil for the usual.
        var reply: (@Sendable (Request) -> Reply?)?
    }

    /// A user's request.
    struct Request: Sendable {
        var text: String
        var values: [[UInt8]?]
        /// How many there were before it.
        var index: Int
        var isBatch = false
    }

    enum Reply: Sendable {
        case void
        case rows([(name: String, type: UInt16)], [[[UInt8]?]])
        case error(CQLServerError.Code, details: [UInt8] = [])
        case schemaChange
        /// Answered when ``ScriptedNode/release()`` is called.
        case hold
        case noise([UInt8])
        case close
    }

    struct State {
        var settings: Settings
        /// The values of each write by its first: more than one is a write that was done twice.
        var writes: [[UInt8]: Int] = [:]
        var requestCount = 0
        var prepared: Set<String> = []
        var queries: [String] = []
        var prepareCount = 0
        var connectionCount = 0
        var sessions: [NodeSession] = []
        var peers: [(settings: Settings, port: UInt16)] = []
        var pieces: SplitMix?
        /// Bytes of users' requests, and of their answers, until the connection is cut.
        var requestBytesLeft: Int?
        var answerBytesLeft: Int?
        var cuts = 0
        var held: [(session: NodeSession, stream: Int16)] = []
        var agreementLooks = 0
        var isStopped = false
    }

    let state: LockedState<State>
    private let listener: LoopbackListener
    var port: UInt16 { UInt16(self.listener.port) }

    init(_ settings: Settings = Settings(), port: UInt16 = 0) throws {
        self.state = LockedState(State(settings: settings))
        self.listener = try LoopbackListener(on: Int(port))
        try self.listener.start { [weak self] client in
            guard let self else {
                close(client)
                return
            }
            var yes: CInt = 1
            setsockopt(client, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
            let session = NodeSession(self, client)
            let isStopped = self.state.withLock { state in
                state.connectionCount += 1
                state.sessions.append(session)
                return state.isStopped
            }
            if isStopped { Sockets.end(client) }
            try? BlockingThread.start(named: "scripted-node") { session.serve() }
        }
    }

    deinit { self.listener.stop() }

    var endpoint: CQLEndpoint { CQLEndpoint(address: .v4(0x7F00_0001), port: self.port) }

    // MARK: What tests ask

    func change(_ body: (inout Settings) -> Void) { self.state.withLock { body(&$0.settings) } }
    func know(_ others: [ScriptedNode]) {
        let peers = others.map { ($0.state.withLock { $0.settings }, $0.port) }
        self.state.withLock { $0.peers = peers }
    }
    func writes(of key: [UInt8]) -> Int { self.state.withLock { $0.writes[key] ?? 0 } }
    var writeCount: Int { self.state.withLock { $0.writes.values.reduce(0, +) } }
    var requestCount: Int { self.state.withLock { $0.requestCount } }
    var prepareCount: Int { self.state.withLock { $0.prepareCount } }
    var connectionCount: Int { self.state.withLock { $0.connectionCount } }
    var openSessions: Int { self.state.withLock { $0.sessions.count } }
    var heldCount: Int { self.state.withLock { $0.held.count } }
    var cuts: Int { self.state.withLock { $0.cuts } }
    func queries(containing part: String) -> Int { self.state.withLock { $0.queries.count { $0.contains(part) } } }
    func chop(seed: UInt64) { self.state.withLock { $0.pieces = SplitMix(seed: seed) } }
    func forgetStatements() { self.state.withLock { $0.prepared = [] } }

    /// Cuts the connection that requests come on, after so many more bytes of them.
    func cut(afterRequestBytes count: Int) {
        let sessions: [NodeSession] = self.state.withLock { state in
            if count > 0 {
                state.requestBytesLeft = count
                return []
            }
            state.cuts += 1
            return state.sessions.filter { !$0.watches }
        }
        for session in sessions { session.end() }
    }
    func cut(afterAnswerBytes count: Int) { self.state.withLock { $0.answerBytesLeft = count } }
    func relent() {
        self.state.withLock { state in
            state.requestBytesLeft = nil
            state.answerBytesLeft = nil
        }
    }

    /// Answers what was held back.
    func release() {
        let held = self.state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for (session, stream) in held { session.send(.void, stream) }
    }

    /// Sends an event to those who watch.
    func tell(_ kind: CQLEventKind, _ change: String, _ endpoint: CQLEndpoint) {
        for session in self.state.withLock({ $0.sessions }) where session.watches {
            session.write(.event, -1) { buffer throws(CQLProtocolError) in
                buffer.append(string: kind.rawValue)
                buffer.append(string: change)
                guard case .v4(let address) = endpoint.address else { return }
                buffer.append(UInt8(4))
                buffer.append(address)
                buffer.append(Int32(endpoint.port))
            }
        }
    }

    func tellKeyspaceChange(_ name: String) {
        for session in self.state.withLock({ $0.sessions }) where session.watches {
            session.write(.event, -1) { buffer throws(CQLProtocolError) in
                for word in ["SCHEMA_CHANGE", "UPDATED", "KEYSPACE", name] { buffer.append(string: word) }
            }
        }
    }

    /// Ends every connection, and takes no more.
    func stop() {
        self.listener.stop()
        let sessions = self.state.withLock { state in
            state.isStopped = true
            return state.sessions
        }
        for session in sessions { session.end() }
    }

    /// Ends every connection, once.
    func hangUp() { for session in self.state.withLock({ $0.sessions }) { session.end() } }
}
