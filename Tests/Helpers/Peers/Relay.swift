internal import Glibc
internal import PerdureConcurrency

/// Stands between clients and a server on loopback, so that a test sees what passes and says what becomes of it.
///
/// Two threads for each connection, which end with ``stop()``.
package final class Relay: Sendable {
    /// Hands on what comes from one side to the other, and returns when the connection is to end.
    package typealias Line = @Sendable (_ from: CInt, _ to: CInt) -> Void

    private struct State {
        var pairs: [(client: CInt, server: CInt)] = []
        var isStopped = false
    }

    /// Where clients find it.
    package var port: Int { self.listener.port }
    private let upstream: Int
    private let listener: LoopbackListener
    private let state = LockedState(State())

    package init(to upstream: Int) throws {
        self.upstream = upstream
        self.listener = try LoopbackListener()
    }

    /// Begins to take connections: each that `lines` gives two lines, for requests and for answers; others are refused.
    package func start(_ lines: @escaping @Sendable () -> (requests: Line, answers: Line)?) throws {
        try self.listener.start { [self] client in self.serve(client, lines()) }
    }

    /// Cuts every connection.
    package func cutAll() {
        self.state.withLock { state in
            for pair in state.pairs {
                Sockets.end(pair.client)
                Sockets.end(pair.server)
            }
        }
    }

    /// Cuts every connection and takes none any more.
    package func stop() {
        self.state.withLock { $0.isStopped = true }
        self.listener.stop()
        self.cutAll()
    }

    private func serve(_ client: CInt, _ lines: (requests: Line, answers: Line)?) {
        guard let lines, let server = Sockets.connect(to: self.upstream) else {
            close(client)
            return
        }
        var yes: CInt = 1
        setsockopt(client, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
        let isWanted = self.state.withLock { state in
            if !state.isStopped { state.pairs.append((client, server)) }
            return !state.isStopped
        }
        guard isWanted else {
            close(client)
            close(server)
            return
        }
        let open = LockedState(2)
        @Sendable func end() {
            Sockets.end(client)
            Sockets.end(server)
            let isLast = open.withLock { open in
                open -= 1
                return open == 0
            }
            guard isLast else { return }
            self.state.withLock { state in state.pairs.removeAll { $0.client == client && $0.server == server } }
            close(client)
            close(server)
        }
        do {
            try BlockingThread.start(named: "relay-up") {
                lines.requests(client, server)
                end()
            }
            try BlockingThread.start(named: "relay-down") {
                lines.answers(server, client)
                end()
            }
        } catch {}
    }
}
