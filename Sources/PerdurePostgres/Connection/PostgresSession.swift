internal import PerdureIO
internal import PerdureState

/// A connection of its own for a few statements in a row, such as a migration; an actor that lives on the event loop.
actor PostgresSession {
    private let loop: EventLoop
    nonisolated let unownedExecutor: UnownedSerialExecutor
    private let configuration: PostgresConfiguration
    private let connection: StoreConnection

    init(_ configuration: PostgresConfiguration, on loop: EventLoop) {
        self.loop = loop
        self.unownedExecutor = loop.asUnownedSerialExecutor()
        self.configuration = configuration
        self.connection = StoreConnection(configuration, on: loop)
    }

    /// A statement without a name, and its parameters.
    struct Command: Sendable {
        var sql: String
        var parameters: [String] = []
    }

    /// Connects; gives up after the configuration's time.
    func open() async throws(StoreError) {
        let fault: ServerFault? = await withUnsafeContinuation { continuation in
            let attempt = Attempt(continuation, on: self.loop)
            let limit = self.configuration.connectTimeout
            attempt.timer = self.loop.schedule(at: self.loop.now + limit) { [connection] in
                connection.close()
                attempt.end(ServerFault("the server did not answer within \(limit)"))
            }
            self.connection.open { result in
                if case .failure(let fault) = result { attempt.end(fault) } else { attempt.end(nil) }
            }
        }
        if let fault { throw StoreError(fault, operation: .connect) }
    }

    /// Opening, which ends once: by the connection or by the clock.
    private final class Attempt {
        private var continuation: UnsafeContinuation<ServerFault?, Never>?
        private let loop: EventLoop
        var timer: EventLoop.TimerID?

        init(_ continuation: UnsafeContinuation<ServerFault?, Never>, on loop: EventLoop) {
            self.continuation = continuation
            self.loop = loop
        }

        func end(_ fault: ServerFault?) {
            if let timer = self.timer { self.loop.cancel(timer) }
            self.continuation?.resume(returning: fault)
            self.continuation = nil
        }
    }

    /// What the connection found out about the tables when it was opened.
    var layout: TableLayout.Finding { self.connection.layout }

    /// Runs the commands as one transaction, all or nothing; returns the first column of each command's rows, which must be text.
    func run(_ commands: [Command], within limit: Duration) async throws(StoreError) -> [[String]] {
        var texts: [[String]] = Array(repeating: [], count: commands.count)
        let end: End = await withUnsafeContinuation { continuation in
            let steps = commands.map { command in
                var parameters = ParameterBuffer()
                for parameter in command.parameters { parameters.append(parameter) }
                return Exchange.Step(statement: Statement(name: "", sql: command.sql), parameters: parameters)
            }
            self.connection.send(
                Exchange(
                    steps: steps, deadline: self.loop.now + limit,
                    receive: { step, rows in
                        for row in 0..<rows.rowCount { texts[step].append(rows.text(row, 0)) }
                    },
                    finish: { end in
                        switch end {
                        case .done: continuation.resume(returning: .done)
                        case .refused(let fault), .notSent(let fault):
                            continuation.resume(returning: .failed(fault, .notApplied))
                        case .lost(let fault): continuation.resume(returning: .failed(fault, .unknown))
                        }
                    }))
        }
        if case .failed(let fault, let outcome) = end {
            throw StoreError(fault, operation: .setup).with(outcome: outcome)
        }
        return texts
    }

    private enum End: Sendable {
        case done
        case failed(ServerFault, StoreError.Outcome)
    }

    func close() { self.connection.close() }
}
