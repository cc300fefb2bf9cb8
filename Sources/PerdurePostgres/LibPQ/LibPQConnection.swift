internal import CLibPQ
internal import Glibc
internal import PerdureIO

/// A connection of libpq, never blocking, on its loop: opens, and carries one ``Exchange`` at a time in pipeline mode.
///
/// Belongs to the loop's thread. Every callback is called on it, once.
final class LibPQConnection: DescriptorHandler {
    private enum Phase {
        case fresh
        case connecting((Result<Void, ServerFault>) -> Void)
        case idle
        case exchanging(Progress)
        case closed
    }

    /// How far the answers to an exchange have come.
    private struct Progress {
        var exchange: Exchange
        /// What is still to be answered, the next at the end.
        var expected: [Expectation]
        var fault: ServerFault?
    }

    private enum Expectation {
        case prepared(Statement)
        case rows(step: Int)
    }

    private let loop: EventLoop
    private var connection: OpaquePointer?
    private var registration: EventLoop.Registration?
    private var interest: Readiness = []
    private var phase = Phase.fresh
    private var prepared: Set<Statement> = []
    private var timer: EventLoop.TimerID?
    private var cancellation: ServerCancellation?

    /// Called once when the connection breaks while it has nothing to do.
    var lost: ((ServerFault) -> Void)?
    /// Gets the server's notices and warnings.
    var noticed: ((ServerFault) -> Void)?
    /// Gets the notifications of channels that the session listens to.
    var notified: ((_ channel: String, _ payload: String) -> Void)?

    init(on loop: EventLoop) { self.loop = loop }

    deinit {
        // Normally closed by then. The loop holds its handlers, so nothing is registered any more.
        if let connection = self.connection { PQfinish(connection) }
    }

    // MARK: Opening

    /// Begins to connect; hosts must be addresses already, or libpq would block to look them up.
    func open(_ keywords: [(key: String, value: String)], _ done: @escaping (Result<Void, ServerFault>) -> Void) {
        guard case .fresh = self.phase else { return done(.failure(ServerFault("the connection was used before"))) }
        let connection = Self.withCStrings(keywords) { keys, values in PQconnectStartParams(keys, values, 0) }
        guard let connection else { return done(.failure(ServerFault("libpq has no memory for a connection"))) }
        self.connection = connection
        // Verbose messages have the SQLSTATE in them, which there is no other way to learn before the connection stands.
        PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        guard PQstatus(connection) != CONNECTION_BAD else {
            let fault = ServerFault(connecting: self.currentFault.message)
            self.close()
            return done(.failure(fault))
        }
        PQsetNoticeReceiver(
            connection,
            { argument, result in
                guard let argument, let result else { return }
                Unmanaged<LibPQConnection>.fromOpaque(argument).takeUnretainedValue().noticed?(ServerFault(result))
            }, Unmanaged.passUnretained(self).toOpaque())
        self.phase = .connecting(done)
        self.connect(PGRES_POLLING_WRITING)
    }

    private static func withCStrings<Result>(
        _ pairs: [(key: String, value: String)],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        let copies = pairs.map { (strdup($0.key), strdup($0.value)) }
        defer {
            for (key, value) in copies {
                free(key)
                free(value)
            }
        }
        let keys = copies.map { $0.0.map { UnsafePointer($0) } } + [nil]
        let values = copies.map { $0.1.map { UnsafePointer($0) } } + [nil]
        return keys.withUnsafeBufferPointer { keys in
            values.withUnsafeBufferPointer { values in
                guard let keys = keys.baseAddress, let values = values.baseAddress else {
                    preconditionFailure("an array with an element has an address")
                }
                return body(keys, values)
            }
        }
    }

    private func connect(_ status: PostgresPollingStatusType) {
        guard case .connecting(let done) = self.phase, let connection = self.connection else { return }
        let fault: ServerFault
        switch status {
        case PGRES_POLLING_OK:
            PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
            if PQsetnonblocking(connection, 1) == 0, PQenterPipelineMode(connection) == 1, self.watch(.readable) {
                self.phase = .idle
                return done(.success(()))
            }
            fault = self.currentFault
        case PGRES_POLLING_READING where self.watch(.readable): return
        case PGRES_POLLING_WRITING where self.watch(.writable): return
        default: fault = ServerFault(connecting: self.currentFault.message)
        }
        self.close()
        done(.failure(fault))
    }

    // MARK: Exchanging

    /// Whether an exchange can be sent.
    var isIdle: Bool { if case .idle = self.phase { true } else { false } }

    /// Sends an exchange. There must be none under way.
    func send(_ exchange: Exchange) {
        guard case .idle = self.phase, let connection = self.connection else {
            return exchange.finish(.notSent(ServerFault("the connection is closed")))
        }
        var expected: [Expectation] = []
        var preparing: [Statement] = []
        var isSent = true
        for (index, step) in exchange.steps.enumerated() where isSent {
            let statement = step.statement
            if statement.name.isEmpty || !self.prepared.contains(statement) && !preparing.contains(statement) {
                isSent = PQsendPrepare(connection, statement.name, statement.sql, 0, nil) == 1
                preparing.append(statement)
                expected.append(.prepared(statement))
            }
            isSent = isSent && Self.sendQuery(connection, statement, step.parameters)
            expected.append(.rows(step: index))
        }
        isSent = isSent && PQpipelineSync(connection) == 1
        guard isSent else {
            // Without the sync the server runs no transaction to its end.
            let fault = self.currentFault
            self.close()
            return exchange.finish(.notSent(fault))
        }
        self.phase = .exchanging(Progress(exchange: exchange, expected: expected.reversed()))
        self.timer = self.loop.schedule(at: exchange.deadline) { [weak self] in self?.deadlineReached() }
        self.flush()
    }

    private static func sendQuery(
        _ connection: OpaquePointer, _ statement: Statement, _ parameters: ParameterBuffer
    ) -> Bool {
        let count = parameters.ranges.count
        return parameters.bytes.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: max(1, count)) { values in
                withUnsafeTemporaryAllocation(of: CInt.self, capacity: max(1, 2 * count)) { numbers in
                    // An empty value needs an address too: a missing one means null.
                    for (index, range) in parameters.ranges.enumerated() {
                        let address = bytes.baseAddress.map { $0 + range.lowerBound } ?? Self.noBytes
                        values.initializeElement(at: index, to: address.assumingMemoryBound(to: CChar.self))
                        numbers.initializeElement(at: index, to: CInt(range.count))
                        numbers.initializeElement(at: count + index, to: 1)
                    }
                    guard let lengths = numbers.baseAddress else { return false }
                    return PQsendQueryPrepared(
                        connection, statement.name, CInt(count), values.baseAddress, lengths, lengths + count, 1) == 1
                }
            }
        }
    }

    /// An address for values without bytes.
    nonisolated(unsafe) private static let noBytes = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))

    private func flush() {
        guard let connection = self.connection else { return }
        switch PQflush(connection) {
        case 0: _ = self.watch(.readable)
        case 1: _ = self.watch([.readable, .writable])
        default: self.fail(self.currentFault)
        }
    }

    func ready(_ readiness: Readiness) {
        guard let connection = self.connection else { return }
        if case .connecting = self.phase {
            // libpq may close this descriptor and go on with another, even one of the same number.
            self.unwatch()
            return self.connect(PQconnectPoll(connection))
        }
        if readiness.contains(.writable) { self.flush() }
        guard self.connection != nil, !readiness.isDisjoint(with: [.readable, .closed]) else { return }
        let isAlive = PQconsumeInput(connection) == 1
        self.readAnswers()
        self.readNotifications()
        guard self.connection != nil else { return }
        if !isAlive || PQstatus(connection) == CONNECTION_BAD { return self.fail(self.currentFault) }
        // What libpq read may have made room for more of what it has to send.
        if self.interest.contains(.writable) { self.flush() }
    }

    private func readNotifications() {
        while let connection = self.connection, let notification = PQnotifies(connection) {
            let told = notification.pointee
            let payload = told.extra.map { String(cString: $0) } ?? ""
            let channel = told.relname.map { String(cString: $0) } ?? ""
            PQfreemem(notification)
            self.notified?(channel, payload)
        }
    }

    private func readAnswers() {
        guard let connection = self.connection else { return }
        if case .idle = self.phase {
            _ = PQisBusy(connection)  // lets libpq tell a notice
            return
        }
        while case .exchanging(var progress) = self.phase, PQisBusy(connection) == 0 {
            guard let result = PQgetResult(connection) else {
                // The end of one answer. libpq never says more of them than were sent.
                guard PQstatus(connection) == CONNECTION_OK, !progress.expected.isEmpty else { return }
                progress.expected.removeLast()
                self.phase = .exchanging(progress)
                continue
            }
            switch PQresultStatus(result) {
            case PGRES_PIPELINE_SYNC:
                PQclear(result)
                self.end(progress)
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK:
                let rows = ServerResult(owning: result)
                switch progress.expected.last {
                case .prepared(let statement)?:
                    // It stands whatever comes after; one without a name until the next.
                    if !statement.name.isEmpty { self.prepared.insert(statement) }
                case .rows(let step)?: progress.exchange.receive(step, rows)
                case nil: break
                }
            case PGRES_PIPELINE_ABORTED:
                PQclear(result)
            default:
                if progress.fault == nil {
                    progress.fault = ServerFault(result)
                    self.phase = .exchanging(progress)
                }
                PQclear(result)
            }
        }
    }

    private func end(_ progress: Progress) {
        self.stopTimer()
        guard let fault = progress.fault else {
            self.phase = .idle
            return progress.exchange.finish(.done)
        }
        guard fault.isAnswer else {
            self.release()
            return progress.exchange.finish(.lost(fault))
        }
        self.phase = .idle
        progress.exchange.finish(.refused(fault))
    }

    // MARK: Deadlines

    /// How long the server may take to tell what became of a query that it was told to stop.
    private static let grace = Duration.seconds(1)

    private func deadlineReached() {
        guard case .exchanging = self.phase, let connection = self.connection else { return }
        self.cancellation = ServerCancellation(of: connection, on: self.loop)
        let grace = self.cancellation == nil ? Duration.zero : Self.grace
        self.timer = self.loop.schedule(at: self.loop.now + grace) { [weak self] in
            self?.fail(ServerFault("no answer came before the deadline"))
        }
    }

    private func stopTimer() {
        if let timer = self.timer { self.loop.cancel(timer) }
        self.timer = nil
        self.cancellation?.close()
        self.cancellation = nil
    }

    // MARK: Closing

    /// Closes at once. An exchange under way ends as lost; an attempt to connect ends without being told.
    func close() {
        if case .exchanging = self.phase { return self.fail(ServerFault("the connection was closed")) }
        self.release()
    }

    private func fail(_ fault: ServerFault) {
        let phase = self.phase
        self.release()
        switch phase {
        case .exchanging(let progress): progress.exchange.finish(.lost(progress.fault ?? fault))
        case .idle: self.lost?(fault)
        case .connecting(let done): done(.failure(fault))
        case .fresh, .closed: break
        }
    }

    private func release() {
        self.phase = .closed
        self.stopTimer()
        self.unwatch()
        if let connection = self.connection {
            self.connection = nil
            PQfinish(connection)
        }
    }

    /// What libpq says went wrong last.
    private var currentFault: ServerFault {
        guard let connection = self.connection else { return ServerFault("the connection is closed") }
        let message = ServerFault.trimmed(String(cString: PQerrorMessage(connection)))
        return ServerFault(message.isEmpty ? "the connection broke" : message)
    }

    // MARK: Watching

    /// Level-triggered, and writing only while libpq has something left to send: it does not say when it has read everything.
    private func watch(_ interest: Readiness) -> Bool {
        if let registration = self.registration {
            if self.interest == interest { return true }
            do { try self.loop.update(registration, to: interest) } catch { return false }
        } else {
            guard let connection = self.connection else { return false }
            do {
                self.registration = try self.loop.register(PQsocket(connection), for: interest, self)
            } catch { return false }
        }
        self.interest = interest
        return true
    }

    private func unwatch() {
        if let registration = self.registration { self.loop.deregister(registration) }
        self.registration = nil
        self.interest = []
    }
}
