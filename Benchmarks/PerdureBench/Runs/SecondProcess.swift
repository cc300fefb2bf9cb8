import Foundation
import PerdurePostgres
import PerdureSQLite
import PerdureWorkflow
import Synchronization

/// This program once more, as a worker on a store that the first process has as well.
///
/// It says a line when it is ready, and ends when its standard input does: it never outlives the process that began it.
struct SecondProcess {
    /// What the worker does.
    enum Role: String {
        /// Drives ``RunWorkflows/begin``.
        case begin
        /// Drives ``RunWorkflows/five``, and never comes to the end of the third step of any run.
        case hold
    }

    static let option = "--worker"

    private let process: Process

    /// Has such a worker as long as the body runs.
    static func withWorker<Result>(
        _ role: Role, on url: String, _ body: (SecondProcess) async throws -> Result
    ) async throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [self.option, role.rawValue, url]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        defer {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }
        guard !output.fileHandleForReading.availableData.isEmpty else {
            throw BenchmarkFailure("the second process ended before it was ready")
        }
        return try await body(SecondProcess(process: process))
    }

    /// Ends it at once, and waits until it is gone.
    func kill() {
        _ = Glibc.kill(self.process.processIdentifier, SIGKILL)
        self.process.waitUntilExit()
    }

    // MARK: In the second process

    /// Works until standard input ends.
    static func work(_ arguments: ArraySlice<String>) async throws -> Never {
        guard arguments.count == 2, let role = arguments.first.flatMap(Role.init), let url = arguments.last else {
            throw BenchmarkFailure("\(self.option) takes a role and a store")
        }
        let store: any RunStore = url.hasPrefix("postgres:") ? try PostgresStore(url: url) : try SQLiteStore(url)
        Thread.detachNewThread {
            while !FileHandle.standardInput.availableData.isEmpty {}
            exit(0)
        }
        let engine: WorkflowEngine
        switch role {
        case .begin:
            var configuration = WorkflowEngine.Configuration()
            configuration.observer = Announcer()
            engine = try WorkflowEngine(store: store, configuration: configuration) { RunWorkflows.begin }
        case .hold:
            let configuration = WorkflowEngine.Configuration()
            let held = Mutex(0)
            engine = try WorkflowEngine(store: store, configuration: configuration) {
                RunWorkflows.five { parcel in
                    let count = held.withLock { held in
                        held += 1
                        return held
                    }
                    if count == configuration.maximumRuns { self.announce() }
                    await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
                    return parcel
                }
            }
        }
        try await engine.run()
        exit(1)
    }

    private static func announce() {
        print("ready")
        fflush(nil)
    }

    /// Says so as soon as it is a worker.
    private struct Announcer: EventObserver {
        func observe(_ event: PerdureEvent) {
            if case .workerRegistered = event { SecondProcess.announce() }
        }
    }
}
