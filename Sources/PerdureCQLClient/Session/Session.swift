internal import PerdureCQL
internal import PerdureConcurrency
internal import PerdureCrypto
internal import PerdureIO

/// What is at work while a client is connected: a loop, its core, and the way in.
final class Session: Sendable {
    let loop: EventLoop
    private let tasks: StoreExecutor
    private let core: LoopBound<SessionCore>
    let intake: Intake
    /// The nodes as they were known last.
    let nodes: LockedState<[CQLNodeStatus]>

    init(_ configuration: CQLClientConfiguration, lentTo tasks: StoreExecutor) throws(CQLClientError) {
        do {
            let tls = try configuration.tls.map { try TLSContext($0) }
            let loop = try EventLoop.start(named: "perdure-cql", busyPolling: configuration.busyPolling)
            let entry = LoneEntry(to: loop)
            let core = LoopBound(SessionCore(configuration, tls: tls, on: loop, by: entry), on: loop)
            let nodes = LockedState<[CQLNodeStatus]>([])
            tasks.lend(loop)
            self.tasks = tasks
            self.loop = loop
            self.core = core
            self.nodes = nodes
            self.intake = Intake(by: entry) { core.value.takeIn($0) }
            loop.perform { core.value.nodesChanged = { new in nodes.withLock { $0 = new } } }
        } catch let failure as TLSFailure {
            throw CQLClientError(.misconfigured, message: "tls: \(failure)")
        } catch {
            throw CQLClientError(.unreachable, message: "\(error)")
        }
    }

    func connect() async throws(CQLClientError) {
        let result: Result<Void, CQLClientError> = await withUnsafeContinuation { continuation in
            let core = self.core
            self.loop.perform {
                core.value.connect { continuation.resume(returning: $0) }
                core.value.turnEnded()
            }
        }
        try result.get()
    }

    /// Hands in a request, and waits for what comes of it.
    func perform(_ execution: Execution, endsOnCancellation: Bool) async -> Execution.Answer {
        guard endsOnCancellation else { return await self.perform(execution) }
        return await withTaskCancellationHandler {
            await self.perform(execution)
        } onCancel: {
            self.intake.cancel(execution)
        }
    }

    private func perform(_ execution: Execution) async -> Execution.Answer {
        await withUnsafeContinuation { (caller: Execution.Caller) in
            execution.wait(caller)
            switch self.intake.leave(execution) {
            case .taken: break
            case .closed: execution.answer(.failure(.disconnected))
            case .cancelled: execution.answer(.failure(.cancelled))
            }
        }
    }

    /// A result came with other columns than the statement had at the node.
    func changed(_ statement: CQLStatement, at node: CQLEndpoint, columns: [CQLColumn], metadataID: [UInt8]) {
        let core = self.core
        self.loop.perform {
            core.value.changed(statement, at: node, columns: columns, metadataID: metadataID)
        }
    }

    /// Lets what is under way finish, then ends everything and calls `done` on the loop.
    func end(_ done: @escaping @Sendable () -> Void) {
        self.intake.close()
        self.tasks.withdraw()
        let (loop, core, intake) = (self.loop, self.core, self.intake)
        loop.perform {
            core.value.takeIn(intake)
            // The client may be gone already: until the last connection has ended the core lives by this closure.
            core.value.close {
                loop.shutDown()
                done()
                withExtendedLifetime(core) {}
            }
        }
    }
}
