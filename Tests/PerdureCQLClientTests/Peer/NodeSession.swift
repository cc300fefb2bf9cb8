import Glibc
import Peers
import PerdureCQL
import PerdureConcurrency
import PerdureIO

/// One connection to a ``ScriptedNode``.
///
/// `@unchecked Sendable`: the thread that serves it is the only one that reads; writing happens under the lock.
final class NodeSession: @unchecked Sendable {
    private let node: ScriptedNode
    private let descriptor: CInt
    /// Guards the encoder and the descriptor; the value says whether the latter is closed, so that nobody uses a number that
    /// is somebody else's by then.
    private let lock = LockedState(false)
    private var encoder: CQLFrameEncoder
    private var version = CQLVersion.v4
    private var isGreeted = false
    private let isWatching = LockedState(false)

    init(_ node: ScriptedNode, _ descriptor: CInt) {
        self.node = node
        self.descriptor = descriptor
        self.encoder = CQLFrameEncoder(version: .v4, role: .server)
    }

    /// Whether it asked for events, so that it carries no requests of users.
    var watches: Bool { self.isWatching.withLock { $0 } }

    func end() {
        self.lock.withLock { isClosed in if !isClosed { Sockets.end(self.descriptor) } }
    }

    func serve() {
        defer {
            self.node.state.withLock { state in state.sessions.removeAll { $0 === self } }
            self.lock.withLock { isClosed in
                isClosed = true
                close(self.descriptor)
            }
        }
        var bytes = Sockets.receive(from: self.descriptor)
        guard let first = bytes.first else { return }
        let spoken = self.node.state.withLock { $0.settings.versions }
        guard let version = CQLVersion(rawValue: first), spoken.contains(version) else {
            // Answered in the newest version that is spoken.
            self.version = spoken.max() ?? .v4
            self.encoder = CQLFrameEncoder(version: self.version, role: .server)
            return self.send(.error(.protocolError), 0, message: "Invalid or unsupported protocol version (\(first))")
        }
        self.version = version
        self.encoder = CQLFrameEncoder(version: version, role: .server)
        var decoder = CQLFrameDecoder(version: version, role: .server)
        while !bytes.isEmpty {
            var isCut = false
            if self.isGreeted, !self.watches {
                let cut: Int? = self.node.state.withLock { state in
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
                    isCut = true
                }
            }
            decoder.append(bytes)
            do {
                while let frame = try decoder.next() { if try !self.take(frame) { return } }
            } catch {
                return
            }
            if isCut { return }
            bytes = Sockets.receive(from: self.descriptor)
        }
    }

    /// False at the end of the conversation.
    private func take(_ frame: CQLFrame) throws -> Bool {
        let stream = frame.header.stream
        var reader = BodyReader(frame.body)
        switch frame.header.opcode {
        case .options:
            self.write(.supported, stream) { buffer throws(CQLProtocolError) in
                buffer.append(UInt16(1))
                buffer.append(string: "CQL_VERSION")
                buffer.append(UInt16(1))
                buffer.append(string: "3.4.7")
            }
        case .startup:
            let needsCredentials = self.node.state.withLock { $0.settings.credentials != nil }
            if needsCredentials {
                self.write(.authenticate, stream) { buffer throws(CQLProtocolError) in
                    buffer.append(string: "org.apache.cassandra.auth.PasswordAuthenticator")
                }
            } else {
                self.isGreeted = true
                self.write(.ready, stream)
            }
        case .authResponse:
            let expected = self.node.state.withLock { $0.settings.credentials?.token }
            if reader.bytes() == expected {
                self.isGreeted = true
                self.write(.authSuccess, stream) { buffer throws(CQLProtocolError) in buffer.append(Int32(-1)) }
            } else {
                self.send(.error(.badCredentials), stream)
            }
        case .register:
            self.isWatching.withLock { $0 = true }
            self.write(.ready, stream)
        case .prepare: self.prepare(reader.longString(), stream)
        case .query:
            let text = reader.longString()
            self.node.state.withLock { $0.queries.append(text) }
            if let reply = self.system(text) {
                self.send(reply, stream)
            } else {
                return self.answer(text, [], stream)
            }
        case .execute:
            let id = reader.shortBytes()
            if self.version >= .v5 { _ = reader.shortBytes() }
            let text = String(decoding: id, as: UTF8.self)
            guard self.node.state.withLock({ $0.prepared.contains(text) }) else {
                self.send(.error(.unprepared, details: [UInt8(id.count >> 8), UInt8(id.count & 0xFF)] + id), stream)
                return true
            }
            return self.answer(text, reader.values(self.version), stream)
        case .batch:
            _ = reader.byte()
            let count = reader.short()
            var values: [[UInt8]?] = []
            var missing: [UInt8]?
            for _ in 0..<count {
                _ = reader.byte()
                let id = reader.shortBytes()
                if !self.node.state.withLock({ $0.prepared.contains(String(decoding: id, as: UTF8.self)) }) {
                    missing = id
                }
                let bound = reader.boundValues()
                values.append(bound.last ?? nil)
            }
            if let missing {
                self.send(.error(.unprepared, details: [0, UInt8(missing.count)] + missing), stream)
                return true
            }
            return self.answer("BATCH", values, stream, isBatch: true)
        default: return false
        }
        return true
    }

    /// A statement's ID is its text; its markers are bigints and the last a blob that is the partition key.
    private func prepare(_ text: String, _ stream: Int16) {
        if text.contains("nonsense") { return self.send(.error(.syntaxError), stream) }
        self.node.state.withLock { state in
            state.prepared.insert(text)
            state.prepareCount += 1
        }
        let markers = text.count { $0 == "?" }
        let isRead = text.hasPrefix("SELECT")
        let isV5 = self.version >= .v5
        self.write(.result, stream) { buffer throws(CQLProtocolError) in
            buffer.append(Int32(4))
            buffer.append(shortBytes: Array(text.utf8))
            if isV5 { buffer.append(shortBytes: [1, 2, 3]) }
            buffer.append(Int32(1))
            buffer.append(Int32(markers))
            buffer.append(Int32(markers > 0 ? 1 : 0))
            if markers > 0 { buffer.append(UInt16(markers - 1)) }
            buffer.append(string: "ks")
            buffer.append(string: "t")
            for marker in 0..<markers {
                buffer.append(string: "m\(marker)")
                buffer.append(UInt16(marker == markers - 1 ? 3 : 2))
            }
            buffer.append(Int32(isRead ? 1 : 4))
            buffer.append(Int32(isRead ? 1 : 0))
            if isRead {
                for word in ["ks", "t", "v"] { buffer.append(string: word) }
                buffer.append(UInt16(2))
            }
        }
    }

    private func answer(_ text: String, _ values: [[UInt8]?], _ stream: Int16, isBatch: Bool = false) -> Bool {
        let (reply, index): (Reply, Int) = self.node.state.withLock { state in
            let request = ScriptedNode.Request(
                text: text, values: values, index: state.requestCount, isBatch: isBatch)
            state.requestCount += 1
            let reply = state.settings.reply?(request)
            let usual: Reply =
                text.hasPrefix("SELECT")
                ? .rows([("v", 2)], [[[0, 0, 0, 0, 0, 0, 0, 42]]])
                : text.hasPrefix("CREATE") ? .schemaChange : .void
            // A write is done unless it is refused.
            if case .error? = reply { return (reply ?? usual, request.index) }
            if text.hasPrefix("UPDATE") || isBatch, let key = values.last ?? nil { state.writes[key, default: 0] += 1 }
            return (reply ?? usual, request.index)
        }
        _ = index
        switch reply {
        case .close: return false
        case .hold: self.node.state.withLock { $0.held.append((self, stream)) }
        case .noise(let bytes): return Sockets.send(bytes, to: self.descriptor)
        default: self.send(reply, stream, isAnswer: true)
        }
        return true
    }

    typealias Reply = ScriptedNode.Reply

    // MARK: System tables

    private func system(_ text: String) -> Reply? {
        if text.contains("FROM system.local") {
            let settings = self.node.state.withLock { $0.settings }
            if text.contains("schema_version FROM") { return .rows([("schema_version", 12)], [[Self.uuid(7)]]) }
            return .rows(Self.nodeColumns, [Self.row(settings, self.node.port)])
        }
        if text.contains("FROM system.peers") {
            let (settings, peers, looks) = self.node.state.withLock { state in
                if text.contains("schema_version FROM") { state.agreementLooks += 1 }
                return (state.settings, state.peers, state.agreementLooks)
            }
            if text.contains("peers_v2"), !settings.hasNewPeersTable { return .error(.invalid) }
            if text.contains("schema_version FROM") {
                let version = Self.uuid(looks > settings.agreesAfter ? 7 : 8)
                return .rows(
                    [("host_id", 12), ("schema_version", 12)], peers.map { [Self.uuid($0.settings.number), version] })
            }
            return .rows(Self.nodeColumns, peers.map { Self.row($0.settings, $0.port) })
        }
        if text.contains("FROM system_schema.keyspaces") {
            var map: [UInt8] = [0, 0, 0, 2]
            for word in ["class", "SimpleStrategy", "replication_factor", "1"] {
                map += [0, 0, 0, UInt8(word.utf8.count)] + Array(word.utf8)
            }
            return .rows([("keyspace_name", 13), ("replication", 33)], [[Array("ks".utf8), map]])
        }
        return nil
    }

    private static let nodeColumns: [(name: String, type: UInt16)] = [
        ("host_id", 12), ("native_address", 16), ("native_port", 9), ("rpc_address", 16), ("rpc_port", 9),
        ("data_center", 13), ("rack", 13), ("tokens", 34), ("release_version", 13), ("schema_version", 12),
    ]

    private static func row(_ settings: ScriptedNode.Settings, _ port: UInt16) -> [[UInt8]?] {
        var tokens: [UInt8] = withUnsafeBytes(of: Int32(settings.tokens.count).bigEndian) { Array($0) }
        for token in settings.tokens {
            let text = Array("\(token)".utf8)
            tokens += [0, 0, 0, UInt8(text.count)] + text
        }
        let port: [UInt8] = withUnsafeBytes(of: Int32(port).bigEndian) { Array($0) }
        return [
            Self.uuid(settings.number), [127, 0, 0, 1], port, [127, 0, 0, 1], port, Array(settings.dataCenter.utf8),
            Array("r1".utf8), tokens, Array("5.0.0".utf8), Self.uuid(7),
        ]
    }

    private static func uuid(_ number: UInt64) -> [UInt8] {
        [UInt8](repeating: 0, count: 8) + withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    // MARK: Answers

    func send(_ reply: Reply, _ stream: Int16, message: String = "the server's words", isAnswer: Bool = false) {
        switch reply {
        case .void:
            self.write(.result, stream, isAnswer: isAnswer) { buffer throws(CQLProtocolError) in buffer.append(Int32(1))
            }
        case .rows(let columns, let rows):
            self.write(.result, stream, isAnswer: isAnswer) { buffer throws(CQLProtocolError) in
                buffer.append(Int32(2))
                buffer.append(Int32(1))
                buffer.append(Int32(columns.count))
                buffer.append(string: "ks")
                buffer.append(string: "t")
                for column in columns {
                    buffer.append(string: column.name)
                    buffer.append(column.type)
                    // Sets and maps of texts.
                    if column.type == 34 { buffer.append(UInt16(13)) }
                    if column.type == 33 { buffer.append(UInt32(13 << 16 | 13)) }
                }
                buffer.append(Int32(rows.count))
                for row in rows {
                    for value in row {
                        buffer.append(Int32(value?.count ?? -1))
                        buffer.append(bytes: value ?? [])
                    }
                }
            }
        case .error(let code, let details):
            self.write(.error, stream, isAnswer: isAnswer) { buffer throws(CQLProtocolError) in
                buffer.append(code.rawValue)
                buffer.append(string: message)
                buffer.append(bytes: details)
            }
        case .schemaChange:
            self.write(.result, stream, isAnswer: isAnswer) { buffer throws(CQLProtocolError) in
                buffer.append(Int32(5))
                for word in ["CREATED", "TABLE", "ks", "t"] { buffer.append(string: word) }
            }
        case .hold, .noise, .close: break
        }
    }

    func write(
        _ opcode: CQLOpcode, _ stream: Int16, isAnswer: Bool = false,
        _ body: (inout CQLBuffer) throws(CQLProtocolError) -> Void = { _ throws(CQLProtocolError) in }
    ) {
        let mustEnd: Bool = self.lock.withLock { isClosed in
            if isClosed { return false }
            try? self.encoder.message(opcode, stream: stream, body)
            var bytes = self.encoder.takeBytes()
            let (cut, pieces): (Int?, SplitMix?) = self.node.state.withLock { state in
                let pieces = state.pieces
                if let next = state.pieces?.next() { state.pieces = SplitMix(seed: next) }
                guard isAnswer, let left = state.answerBytesLeft else { return (nil, pieces) }
                guard bytes.count >= left else {
                    state.answerBytesLeft = left - bytes.count
                    return (nil, pieces)
                }
                state.answerBytesLeft = nil
                state.cuts += 1
                return (left, pieces)
            }
            if let cut { bytes = Array(bytes.prefix(cut)) }
            var rest = bytes[...]
            var sizes = pieces
            while !rest.isEmpty {
                let size = sizes == nil ? rest.count : Int((sizes?.next() ?? 0) % 9) + 1
                let piece = rest.prefix(size)
                guard Sockets.send(piece, to: self.descriptor) else { break }
                rest = rest.dropFirst(piece.count)
            }
            return cut != nil
        }
        if mustEnd { self.end() }
    }
}

extension CQLBuffer {
    mutating func append(string: String) {
        self.append(UInt16(string.utf8.count))
        self.append(utf8: string)
    }
    fileprivate mutating func append(shortBytes: [UInt8]) {
        self.append(UInt16(shortBytes.count))
        self.append(bytes: shortBytes)
    }
}

/// Reads the body of a request.
struct BodyReader {
    private var rest: ArraySlice<UInt8>

    init(_ body: [UInt8]) { self.rest = body[...] }

    mutating func take(_ count: Int) -> [UInt8] {
        defer { self.rest = self.rest.dropFirst(max(0, count)) }
        return Array(self.rest.prefix(max(0, count)))
    }
    mutating func byte() -> Int { Int(self.take(1).first ?? 0) }
    mutating func short() -> Int { self.take(2).reduce(0) { $0 << 8 | Int($1) } }
    mutating func int() -> Int { Int(Int32(truncatingIfNeeded: self.take(4).reduce(0) { $0 << 8 | Int($1) })) }
    mutating func shortBytes() -> [UInt8] { self.take(self.short()) }
    mutating func bytes() -> [UInt8]? {
        let count = self.int()
        return count < 0 ? nil : self.take(count)
    }
    mutating func longString() -> String { String(decoding: self.take(self.int()), as: UTF8.self) }
    mutating func boundValues() -> [[UInt8]?] { (0..<self.short()).map { _ in self.bytes() } }
    /// The values of EXECUTE.
    mutating func values(_ version: CQLVersion) -> [[UInt8]?] {
        _ = self.short()
        let flags = version >= .v5 ? self.int() : self.byte()
        return flags & 1 == 0 ? [] : self.boundValues()
    }
}
