import Glibc
import Peers
import PerdureConcurrency

/// An HTTP server on loopback that answers as a test tells it, byte by byte if need be.
///
/// Each connection has a thread.
final class ScriptedPeer: Sendable {
    struct Request: Sendable {
        var line: String
        /// In the order in which they came, names in lower case.
        var headers: [(name: String, value: String)]
        var body: [UInt8]
        /// The number of the connection that it came on, from 1, and of the request among all, from 1.
        var connection: Int
        var number: Int

        func header(_ name: String) -> String? { self.headers.first { $0.name == name }?.value }
        var operation: String { self.header("x-amz-target").map { String($0.split(separator: ".").last ?? "") } ?? "" }
        var text: String { String(decoding: self.body, as: UTF8.self) }
    }

    enum Reply: Sendable {
        case answer(Int, String, headers: [(String, String)] = [])
        /// Exactly these bytes; then the connection is closed.
        case bytes([UInt8])
        /// Exactly these bytes, which are a whole answer; the connection goes on.
        case wholeBytes([UInt8])
        /// The connection is closed without a byte.
        case close
        /// Nothing, until the client closes the connection.
        case silence
        /// The whole answer, but a byte at a time.
        case slowly(Int, String)
    }

    typealias Script = @Sendable (Request) -> Reply

    var port: Int { self.listener.port }
    private let listener: LoopbackListener
    private let script: Script
    private struct State {
        var requests: [Request] = []
        var connections = 0
        var open: Set<CInt> = []
        var isStopped = false
    }
    private let state = LockedState(State())

    var url: String { "http://127.0.0.1:\(self.port)" }
    var requests: [Request] { self.state.withLock { $0.requests } }
    var connectionCount: Int { self.state.withLock { $0.connections } }

    init(_ script: @escaping Script) throws {
        self.listener = try LoopbackListener()
        self.script = script
        try self.listener.start { [weak self] connection in
            guard let self else {
                close(connection)
                return
            }
            self.take(connection)
        }
    }

    func stop() {
        self.listener.stop()
        self.state.withLock { state in
            state.isStopped = true
            for connection in state.open { Sockets.end(connection) }
        }
    }

    private func take(_ connection: CInt) {
        let number = self.state.withLock { state in
            state.connections += 1
            state.open.insert(connection)
            if state.isStopped { Sockets.end(connection) }
            return state.connections
        }
        try? BlockingThread.start(named: "peer-connection") {
            self.serve(connection, number)
            self.state.withLock { _ = $0.open.remove(connection) }
            close(connection)
        }
    }

    private func serve(_ connection: CInt, _ number: Int) {
        var stream = PeerStream(connection)
        while let request = self.read(&stream, number) {
            switch self.script(request) {
            case .answer(let status, let body, let headers):
                guard Sockets.send(Self.answer(status, body, headers), to: connection) else { return }
            case .wholeBytes(let bytes):
                guard Sockets.send(bytes, to: connection) else { return }
            case .bytes(let bytes):
                _ = Sockets.send(bytes, to: connection)
                return
            case .close: return
            case .silence:
                while !Sockets.receive(from: connection).isEmpty {}
                return
            case .slowly(let status, let body):
                for byte in Self.answer(status, body, []) { guard Sockets.send([byte], to: connection) else { return } }
            }
        }
    }

    static func answer(_ status: Int, _ body: String, _ headers: [(String, String)]) -> [UInt8] {
        var text =
            "HTTP/1.1 \(status) Something\r\nContent-Length: \(body.utf8.count)\r\nContent-Type: application/x-amz-json-1.0\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        return Array((text + "\r\n" + body).utf8)
    }

    private func read(_ stream: inout PeerStream, _ number: Int) -> Request? {
        guard let message = stream.next() else { return nil }
        return self.state.withLock { state in
            let request = Request(
                line: message.line, headers: message.headers, body: message.body, connection: number,
                number: state.requests.count + 1)
            state.requests.append(request)
            return request
        }
    }
}
