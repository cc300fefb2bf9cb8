internal import PerdureConcurrency
internal import PerdureModel

/// A run, for whoever started it or knows its ID.
public struct RunHandle<Output: Codable & Sendable>: Sendable {
    /// The run's ID.
    public let id: String
    private let engine: WorkflowEngine
    private let driver: RunDriver?

    init(_ engine: WorkflowEngine, _ id: String, _ driver: RunDriver?) {
        self.engine = engine
        self.id = id
        self.driver = driver
    }

    /// Waits until the run has ended, in whatever process, and gives its output.
    ///
    /// A run that is paused or parked has not ended: waiting goes on. Cancelling the task gives up waiting; the run goes on.
    ///
    /// - Throws: ``WorkflowError`` with the run's failure where it failed or was cancelled, and ``RunFailure/Code/notFound`` where
    ///   there is no such run; ``PayloadError`` where the output is no `Output`; ``StoreError``; `CancellationError`.
    public var value: Output {
        get async throws {
            let (progress, error) = try await self.engine.core.ending(of: self.id, self.driver)
            switch progress.status {
            case .completed:
                guard let output = progress.output else {
                    throw WorkflowError(.internalError, runID: self.id, message: "the run completed without an output")
                }
                return try output.decoded(as: Output.self)
            case .failed, .cancelled, .pending, .running, .paused, .parked:
                let failure =
                    progress.failure
                    ?? RunFailure(.internalError, message: "the run ended as \(progress.status.rawValue)")
                throw WorkflowError(failure, runID: self.id, underlying: error)
            }
        }
    }

    /// Where the run stands.
    ///
    /// - Throws: ``WorkflowError`` with ``RunFailure/Code/notFound`` where there is no such run; ``StoreError``.
    public func status() async throws -> RunStatus {
        guard let record = try await self.engine.core.store.run(self.id) else { throw WorkflowError.noRun(self.id) }
        return record.status
    }

    /// Ends the run; see ``WorkflowEngine/cancel(_:reason:)``.
    @discardableResult
    public func cancel(reason: String = "cancelled on request") async throws -> Bool {
        try await self.engine.cancel(self.id, reason: reason)
    }

    /// Tells the run something; see ``WorkflowEngine/signal(_:_:_:id:)``.
    @discardableResult
    public func signal(_ name: String, _ payload: some Codable & Sendable, id: String? = nil) async throws
        -> SignalVerdict
    {
        try await self.engine.signal(self.id, name, payload, id: id)
    }
}

extension EngineCore {
    /// Waits for the end of a run: told by its driver where it is in this process, else by hints, else by asking.
    func ending(of runID: String, _ driver: RunDriver?) async throws -> (progress: RunProgress, error: (any Error)?) {
        if let driver, let ending = await self.departure(of: driver) {
            if ending.progress.status == .completed { return ending }
            // Somebody may have had it tried again since.
            guard let record = try await self.store.run(runID) else { throw WorkflowError.noRun(runID) }
            if record.progress.revision == ending.progress.revision { return ending }
        }
        let bell = Bell()
        self.watch.add(bell, for: runID)
        defer { self.watch.remove(bell, for: runID) }
        var pause = self.configuration.pollInterval.lowerBound
        while true {
            try Task.checkCancellation()
            if let driver = self.driver(of: runID), let ending = await self.departure(of: driver) { return ending }
            guard let record = try await self.store.run(runID) else { throw WorkflowError.noRun(runID) }
            if record.status.isEnded { return (record.progress, nil) }
            await self.waitOutside(for: bell, upTo: pause)
            pause = min(pause * 2, self.configuration.pollInterval.upperBound)
        }
    }

    private func departure(of driver: RunDriver) async -> (progress: RunProgress, error: (any Error)?)? {
        if driver.ending == nil { await driver.departure() }
        return driver.ending
    }

    /// Waits for a bell also where the engine does not run, and its timers do not.
    private func waitOutside(for bell: Bell, upTo pause: Duration) async {
        if self.state.withLock({ $0.worker }) != nil { return await self.wait(for: bell, upTo: pause) }
        let clock = self.clock
        let timer = Task {
            _ = try? await clock.sleep(for: pause)
            bell.ring()
        }
        await bell.wait()
        timer.cancel()
    }
}

extension WorkflowError {
    static func noRun(_ id: String) -> WorkflowError {
        WorkflowError(.notFound, runID: id, message: "there is no run of this ID")
    }
}
