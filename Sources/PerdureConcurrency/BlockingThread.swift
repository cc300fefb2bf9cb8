internal import Glibc

/// A thread for work that blocks: files, databases, anything that must not hold up the cooperative pool.
///
/// The pool has as many threads as the machine has cores, so one blocking call on it stalls a share of the whole program.
package enum BlockingThread {
    /// The system refused to start a thread.
    package struct StartFailure: Error, CustomStringConvertible {
        /// The system's error number.
        package let errorNumber: Int32

        package var description: String {
            "the system could not start a thread: \(String(cString: strerror(self.errorNumber)))"
        }
    }

    /// Starts a thread that runs `body` and ends with it.
    ///
    /// The thread takes no signals, so that the program's own threads get them. `name` shows in debuggers and in `top`; the
    /// system keeps its first 15 bytes.
    package static func start(
        named name: String, _ body: @escaping @Sendable () -> Void
    ) throws(StartFailure) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let status = pthread_create(&thread, nil, { Self.run($0) }, start.toOpaque())
        guard status == 0 else {
            start.release()
            throw StartFailure(errorNumber: status)
        }
        pthread_detach(thread)
    }

    /// Runs `body` on a thread of its own, and returns what it returns.
    package static func run<Result: Sendable>(
        named name: String, _ body: @escaping @Sendable () -> Result
    ) async throws(StartFailure) -> Result {
        let outcome: Swift.Result<Result, StartFailure> = await withCheckedContinuation { continuation in
            do throws(StartFailure) {
                try self.start(named: name) { continuation.resume(returning: .success(body())) }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try outcome.get()
    }

    /// `pthread_setname_np` is not among the functions that Swift sees; the file does the same.
    private static func nameThread(_ name: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = Array(name.utf8.prefix(15)).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private static func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        self.nameThread(start.name)
        start.body()
        return nil
    }
}
