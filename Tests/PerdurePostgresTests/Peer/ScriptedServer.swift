import Glibc
import Peers
import PerdureConcurrency
import PerdureIO

/// A PostgreSQL server that knows just the store's own statements on one table in memory, so that tests need no real one.
///
/// What it sends can be cut at any byte, chopped into any pieces, or be noise.
final class ScriptedServer: Sendable {
    struct Row: Equatable {
        var version: Int64
        var write: [UInt8]
    }

    private struct State {
        var rows: [String: Row] = [:]
        var tombstones: [String: Row] = [:]
        /// How often a change was applied, by its write's ID: more than once is a fault.
        var applied: [[UInt8]: Int] = [:]
        var descriptors: [CInt] = []
        var isStopped = false
        /// Bytes of changes and of their answers until the connection is cut.
        var requestBytesLeft: Int?
        var answerBytesLeft: Int?
        var cuts = 0
        var pieces: SplitMix?
        /// What is sent instead of the answer to a change.
        var noise: [[UInt8]] = []
    }

    private let state = LockedState(State())
    private let listener: LoopbackListener
    var port: Int { self.listener.port }

    init() throws {
        self.listener = try LoopbackListener()
        try self.listener.start { [weak self] client in
            guard let self else {
                close(client)
                return
            }
            self.state.withLock { state in
                state.descriptors.append(client)
                if state.isStopped { Sockets.end(client) }
            }
            try? BlockingThread.start(named: "scripted-peer") { self.serve(client) }
        }
    }

    func stop() {
        self.listener.stop()
        self.state.withLock { state in
            state.isStopped = true
            for descriptor in state.descriptors { Sockets.end(descriptor) }
        }
    }

    var cuts: Int { self.state.withLock { $0.cuts } }
    func row(_ id: String) -> Row? { self.state.withLock { $0.rows[id] } }
    var wereAppliedOnce: Bool { self.state.withLock { $0.applied.values.allSatisfy { $0 == 1 } } }
    func cut(afterRequestBytes count: Int) { self.state.withLock { $0.requestBytesLeft = count } }
    func cut(afterAnswerBytes count: Int) { self.state.withLock { $0.answerBytesLeft = count } }
    func relent() {
        self.state.withLock { state in
            state.requestBytesLeft = nil
            state.answerBytesLeft = nil
            state.noise = []
        }
    }
    func chop(seed: UInt64) { self.state.withLock { $0.pieces = SplitMix(seed: seed) } }
    func answerOnce(with noise: [UInt8]) { self.state.withLock { $0.noise.append(noise) } }

    // MARK: A connection

    private final class Session {
        var received: [UInt8] = []
        var statements: [String: String] = [:]
        var answer: [UInt8] = []
        /// The statement's name, whether it is the form for one row, and its parameters.
        var bound: (name: String, isLone: Bool, parameters: [[UInt8]]) = ("", false, [])
        /// Changes of the transaction, made at its end.
        var changes: [(inout State) -> Void] = []
        var isChange = false
    }

    private func serve(_ client: CInt) {
        defer {
            self.state.withLock { state in state.descriptors.removeAll { $0 == client } }
            close(client)
        }
        var yes: CInt = 1
        setsockopt(client, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
        let session = Session()
        var isGreeted = false
        while true {
            var bytes = Sockets.receive(from: client)
            if bytes.isEmpty { return }
            if isGreeted, bytes.contains("perdure_replace") {
                let cut: Int? = self.state.withLock { state in
                    guard let left = state.requestBytesLeft else { return nil }
                    guard bytes.count >= left else {
                        state.requestBytesLeft = left - bytes.count
                        return nil
                    }
                    state.requestBytesLeft = nil
                    state.cuts += 1
                    return left
                }
                if let cut {
                    bytes = Array(bytes.prefix(cut))
                    session.received += bytes
                    _ = self.consume(session)
                    return
                }
            }
            session.received += bytes
            if !isGreeted {
                guard session.received.count >= 8 else { continue }
                let length = Int(Self.integer(session.received[0..<4]))
                guard session.received.count >= length else { continue }
                let code = Self.integer(session.received[4..<8])
                session.received.removeFirst(length)
                if code == 80_877_103 || code == 80_877_104 {  // no TLS, no GSS
                    guard Sockets.send([UInt8(ascii: "N")], to: client) else { return }
                    continue
                }
                isGreeted = true
                session.answer += Self.message("R", Self.bytes(Int32(0)))
                for (key, value) in [
                    ("server_version", "15.0"), ("client_encoding", "UTF8"), ("integer_datetimes", "on"),
                ] {
                    session.answer += Self.message("S", Array(key.utf8) + [0] + Array(value.utf8) + [0])
                }
                session.answer += Self.message("K", Self.bytes(Int32(1)) + Self.bytes(Int32(2)))
                session.answer += Self.message("Z", [UInt8(ascii: "I")])
            }
            guard self.consume(session) else { return }
            guard self.flush(session, to: client) else { return }
        }
    }

    private func flush(_ session: Session, to client: CInt) -> Bool {
        var answer = session.answer
        session.answer = []
        let wasChange = session.isChange
        session.isChange = false
        let cut: Int? = self.state.withLock { state in
            guard wasChange else { return nil }
            if !state.noise.isEmpty { answer = state.noise.removeFirst() }
            guard let left = state.answerBytesLeft else { return nil }
            guard answer.count >= left else {
                state.answerBytesLeft = left - answer.count
                return nil
            }
            state.answerBytesLeft = nil
            state.cuts += 1
            return left
        }
        if let cut { answer = Array(answer.prefix(cut)) }
        var rest = answer[...]
        while !rest.isEmpty {
            let size: Int = self.state.withLock { state in
                guard var pieces = state.pieces else { return rest.count }
                defer { state.pieces = pieces }
                return Int(pieces.next() % 9) + 1
            }
            let piece = rest.prefix(size)
            guard Sockets.send(piece, to: client) else { return false }
            rest = rest.dropFirst(piece.count)
        }
        return cut == nil
    }

    /// Takes whole messages; false at the end of the conversation.
    private func consume(_ session: Session) -> Bool {
        while session.received.count >= 5 {
            let length = Int(Self.integer(session.received[1..<5]))
            guard length >= 4, session.received.count >= length + 1 else { return true }
            let kind = Character(UnicodeScalar(session.received[0]))
            let body = Array(session.received[5..<(length + 1)])
            session.received.removeFirst(length + 1)
            if kind == "X" { return false }
            self.take(kind, body, session)
        }
        return true
    }

    private func take(_ kind: Character, _ body: [UInt8], _ session: Session) {
        switch kind {
        case "P":
            session.answer += Self.message("1", [])
        case "B":
            let parts = Self.strings(body, 2)
            let name = parts.strings[1]
            let isLone = name.hasSuffix("_one")
            session.bound = (
                isLone ? String(name.dropLast(4)) : name, isLone, Self.parameters(Array(body[parts.end...]))
            )
            session.answer += Self.message("2", [])
        case "D":
            let count = Self.columns(session.bound.name)
            if count == 0 {
                session.answer += Self.message("n", [])
            } else {
                var description = Self.bytes(Int16(count))
                for _ in 0..<count {
                    description +=
                        [UInt8(ascii: "c"), 0] + Self.bytes(Int32(0)) + Self.bytes(Int16(0)) + Self.bytes(Int32(20))
                    description += Self.bytes(Int16(8)) + Self.bytes(Int32(-1)) + Self.bytes(Int16(1))
                }
                session.answer += Self.message("T", description)
            }
        case "E": self.execute(session)
        case "S":
            // The end of the transaction: now it is so.
            let changes = session.changes
            session.changes = []
            self.state.withLock { state in for change in changes { change(&state) } }
            session.answer += Self.message("Z", [UInt8(ascii: "I")])
        default: break
        }
    }

    private static func columns(_ name: String) -> Int {
        switch name {
        case "perdure_session": 2
        case "perdure_layout": 3
        case "perdure_explain": 5
        case "perdure_read": 6
        case "perdure_put": 0
        default: 1
        }
    }

    private func execute(_ session: Session) {
        let (name, isLone, parameters) = session.bound
        func column(_ number: Int) -> [[UInt8]] {
            isLone ? [parameters[number]] : Self.array(parameters[number])
        }
        var rows: [[[UInt8]?]] = []
        switch name {
        case "perdure_session": rows = [[Array("UTF8".utf8), nil]]
        case "perdure_layout": rows = [[Array("public".utf8), [1], [1]]]
        case "perdure_create", "perdure_replace":
            session.isChange = true
            let ids = column(0).map { String(decoding: $0, as: UTF8.self) }
            let versions = column(1)
            let writes = column(6)
            let expected = name == "perdure_replace" ? column(7) : []
            for (index, id) in ids.enumerated() {
                let row = Row(version: Self.integer64(versions[index]), write: writes[index])
                let current = self.row(id)
                let holds =
                    name == "perdure_create" ? current == nil : current?.version == Self.integer64(expected[index])
                guard holds else { continue }
                rows.append([name == "perdure_create" ? Array(id.utf8) : Self.bytes(Int64(index + 1))])
                session.changes.append { state in
                    state.rows[id] = row
                    state.applied[row.write, default: 0] += 1
                }
            }
        case "perdure_uncreate": break
        case "perdure_explain":
            let ids = column(0).map { String(decoding: $0, as: UTF8.self) }
            for (index, id) in ids.enumerated() {
                let row = self.row(id)
                rows.append([Self.bytes(Int64(index + 1)), row.map { Self.bytes($0.version) }, row?.write, nil, nil])
            }
        default: break
        }
        for row in rows {
            var body = Self.bytes(Int16(row.count))
            for field in row {
                body += Self.bytes(Int32(field?.count ?? -1))
                body += field ?? []
            }
            session.answer += Self.message("D", body)
        }
        session.answer += Self.message("C", Array("SELECT \(rows.count)".utf8) + [0])
    }

    // MARK: Bytes

    static func message(_ kind: Character, _ body: [UInt8]) -> [UInt8] {
        [kind.asciiValue ?? 0] + Self.bytes(Int32(body.count + 4)) + body
    }

    static func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> Int32 {
        bytes.reduce(0) { $0 << 8 | Int32($1) }
    }

    private static func integer64(_ bytes: [UInt8]) -> Int64 { bytes.reduce(0) { $0 << 8 | Int64($1) } }

    private static func strings(_ body: [UInt8], _ count: Int) -> (strings: [String], end: Int) {
        var strings: [String] = []
        var start = 0
        while strings.count < count, let end = body[start...].firstIndex(of: 0) {
            strings.append(String(decoding: body[start..<end], as: UTF8.self))
            start = end + 1
        }
        return (strings, start)
    }

    /// The parameters of a Bind message behind its names.
    private static func parameters(_ body: [UInt8]) -> [[UInt8]] {
        var rest = body[...]
        func short() -> Int {
            defer { rest = rest.dropFirst(2) }
            return Int(rest.prefix(2).reduce(0) { $0 << 8 | Int($1) })
        }
        let formats = short()
        rest = rest.dropFirst(2 * formats)
        return (0..<short()).map { _ in
            let count = Int(Self.integer(rest.prefix(4)))
            defer { rest = rest.dropFirst(4 + max(0, count)) }
            return Array(rest.dropFirst(4).prefix(max(0, count)))
        }
    }

    /// The elements of an array parameter.
    private static func array(_ bytes: [UInt8]) -> [[UInt8]] {
        guard bytes.count >= 20 else { return [] }
        let count = Int(Self.integer(bytes[12..<16]))
        var rest = bytes[20...]
        return (0..<count).map { _ in
            let size = Int(Self.integer(rest.prefix(4)))
            defer { rest = rest.dropFirst(4 + size) }
            return Array(rest.dropFirst(4).prefix(size))
        }
    }
}
