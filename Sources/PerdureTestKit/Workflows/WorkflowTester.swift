internal import PerdureConcurrency
internal import PerdureModel
public import PerdureWorkflow

/// Tests workflows: in memory, with a clock that jumps, with stubs for handlers, and with crashes.
///
/// ```swift
/// @Test func remindsAfterAMonth() async throws {
///     var stubs = WorkflowStubs()
///     stubs.replace("remind") { (customer: Customer) in Mail(to: customer.address) }
///     try await WorkflowTester.test(stubs: stubs) { reminder } body: { tester in
///         try await tester.start(reminder, ada, id: "ada")
///         let mail = try await tester.value(of: reminder, "ada")      // 30 days later, some milliseconds from now
///         #expect(mail.to == ada.address)
///     }
/// }
/// ```
///
/// Every value makes the way through JSON, so that a type that does not come back as it was is found out. The clock stands still but
/// in ``value(of:_:)``, which moves it to the next time that somebody waits for, as soon as nothing else is under way.
public final class WorkflowTester: Sendable {
    /// The clock by which the workflows go.
    public let clock = ManualClock()
    /// Where everything is kept.
    public let store = InMemoryRunStore()

    private struct State {
        var engine: WorkflowEngine?
        var running: Task<Void, any Error>?
        var line: MortalRunStore?
        /// After how many more writes the process dies.
        var crashes: [Int] = []
        var crashCount = 0
    }

    private let graphs: [WorkflowGraph]
    private let change: @Sendable (inout WorkflowEngine.Configuration) -> Void
    private let state = LockedState(State())

    private init(
        _ workflows: [RegisteredWorkflow], _ stubs: WorkflowStubs,
        _ change: @escaping @Sendable (inout WorkflowEngine.Configuration) -> Void
    ) {
        self.graphs = workflows.map { stubs.applied(to: $0.graph) }
        self.change = change
    }

    /// Runs a test with an engine for `workflows`.
    ///
    /// - Parameters:
    ///   - stubs: handlers that take the place of the definitions'.
    ///   - configure: changes the engine's configuration; its clock and its pauses are the tester's.
    ///   - workflows: the workflows.
    ///   - body: the test.
    /// - Returns: what `body` gives.
    /// - Throws: what `body` throws, and ``WorkflowError`` where a workflow cannot work.
    public static func test<Result: Sendable>(
        stubs: WorkflowStubs = WorkflowStubs(),
        configure: @escaping @Sendable (inout WorkflowEngine.Configuration) -> Void = { _ in },
        @WorkflowsBuilder _ workflows: () -> [RegisteredWorkflow],
        body: @Sendable (WorkflowTester) async throws -> Result
    ) async throws -> Result {
        let tester = WorkflowTester(workflows(), stubs, configure)
        try await tester.begin()
        do {
            let result = try await body(tester)
            tester.end()
            return result
        } catch {
            tester.end()
            throw error
        }
    }

    // MARK: Runs

    /// The engine that runs now: after a crash another one.
    public var engine: WorkflowEngine {
        guard let engine = self.state.withLock({ $0.engine }) else { preconditionFailure("the test is over") }
        return engine
    }

    /// Starts a run and returns its ID. A crash before it is stored is recovered from: it is started again.
    @discardableResult
    public func start<Input, Output>(
        _ workflow: Workflow<Input, Output>, _ input: Input, id: String = "run", options: StartOptions = StartOptions()
    ) async throws -> String {
        try await self.recovering { try await $0.start(workflow, input, id: id, options: options).id }
    }

    /// Sends a signal; one that a crash cut short is sent again, and taken once.
    public func signal(_ runID: String, _ name: String, _ payload: some Codable & Sendable) async throws {
        let number = self.state.withLock { state in
            state.crashCount += 1
            return state.crashCount
        }
        _ = try await self.recovering { try await $0.signal(runID, name, payload, id: "test \(number)") }
    }

    /// Waits until the run has ended, moving the clock whenever nothing else is under way, and gives its output.
    ///
    /// - Throws: ``WorkflowError`` as ``RunHandle/value``, and with ``RunFailure/Code/timeout`` where the run waits for something that
    ///   no passing of time brings about: a signal, or a person.
    public func value<Input, Output>(of workflow: Workflow<Input, Output>, _ runID: String) async throws -> Output {
        while true {
            try await self.settle()
            guard let record = try await self.store.run(runID) else {
                throw WorkflowError(.notFound, runID: runID, message: "there is no run of this ID")
            }
            if record.status.isEnded { break }
            guard let next = self.clock.nextDeadline, next - self.clock.now < Self.ages else {
                throw WorkflowError(
                    .timeout, runID: runID,
                    message: record.progress.parkedReason
                        ?? "the run is \(record.status.rawValue) and waits for something that time does not bring about"
                )
            }
            self.clock.advanceToNextSleeper()
        }
        return try await self.engine.run(workflow, runID).value
    }

    /// Waits until nothing is under way: every run waits for time, a signal or a person, or has ended. The clock stands still.
    public func settle() async throws {
        var quiet = 0
        var turns = 0
        // Whoever was resumed a moment ago may not have come to it yet.
        while quiet < 100 {
            try Task.checkCancellation()
            turns += 1
            // A handler may be waiting for the world outside: no reason to spin for long.
            if turns % 1_024 == 0 { try await Task.sleep(for: .milliseconds(1)) } else { await Task.yield() }
            if self.isCut { try await self.reviveAfterCrash() }
            quiet = self.engine.isIdle && self.clock.sleeperCount > 0 ? quiet + 1 : 0
        }
    }

    // MARK: Crashes

    /// Lets the process die when it has made so many more writes, counted from now or from the crash before: what is under way then is
    /// lost, and another engine takes over.
    public func crash(afterWrites count: Int) {
        precondition(count >= 1, "a crash comes after at least one write")
        let line = self.state.withLock { state -> MortalRunStore? in
            if state.line?.isDoomed ?? true {
                state.crashes.append(count)
                return nil
            }
            return state.line
        }
        line?.die(afterWrites: count)
    }

    /// How many writes have been made since the last crash: runs created, changed, deleted, and messages posted.
    public var writeCount: Int { self.state.withLock { $0.line?.writeCount ?? 0 } }

    // MARK: Details

    /// Longer than any workflow takes: whatever waits for that, waits for something else.
    private static let ages = Duration.seconds(900 * 86_400)

    private var isCut: Bool { self.state.withLock { $0.line?.isDead ?? false } }

    private func begin() async throws {
        let line = MortalRunStore(EncodingRunStore(self.store))
        let next = self.state.withLock { state in state.crashes.isEmpty ? nil : state.crashes.removeFirst() }
        if let next { line.die(afterWrites: next) }
        var configuration = WorkflowEngine.Configuration()
        self.change(&configuration)
        configuration.clock = self.clock
        configuration.name = "tester"
        // Nothing is asked for again and again: whatever happens, happens here.
        let never = Self.ages + .seconds(86_400)
        configuration.lease = never * 3
        configuration.watchInterval = never
        configuration.pollInterval = never...never
        configuration.mailInterval = never
        configuration.purgeInterval = never
        configuration.adoptionPause = .zero
        let engine = try WorkflowEngine(store: line, configuration: configuration, graphs: self.graphs)
        let running = Task { try await engine.run() }
        self.state.withLock { state in
            state.line = line
            state.engine = engine
            state.running = running
        }
        while !engine.isWorker {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    /// The process has died: another one begins with what is stored.
    private func reviveAfterCrash() async throws {
        self.state.withLock { $0.running }?.cancel()
        try await self.begin()
    }

    private func end() {
        self.state.withLock { $0.running }?.cancel()
    }

    private func recovering<Result: Sendable>(
        _ body: (WorkflowEngine) async throws -> Result
    ) async throws -> Result {
        for _ in 0..<100 {
            do {
                return try await body(self.engine)
            } catch {
                guard self.isCut else { throw error }
                try await self.reviveAfterCrash()
            }
        }
        return try await body(self.engine)
    }
}
