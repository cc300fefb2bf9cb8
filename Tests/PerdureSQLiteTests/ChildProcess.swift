import Glibc
import PerdureConcurrency

/// A run of the crash child, from start to end.
struct ChildProcess: Sendable {
    /// The lines that it wrote to standard output.
    var lines: [String]
    /// The signal that ended it, if one did.
    var signal: Int32?
    /// With what it ended by itself, if it did.
    var status: Int32?

    var isFinished: Bool { self.lines.last?.hasPrefix("done ") == true }
    var violations: [String] { self.lines.filter { $0.hasPrefix("violation") } }

    enum Failure: Error {
        case noExecutable(String)
        case spawn(Int32)
    }

    /// Runs the child to its end. Kills it once it has written `lineLimit` lines, if that is given.
    static func run(_ arguments: [String], killAfterLines lineLimit: Int? = nil) async throws -> ChildProcess {
        try await BlockingThread.run(named: "child") {
            Result { try Self.runHere(arguments, lineLimit) }
        }.get()
    }

    private static func runHere(_ arguments: [String], _ lineLimit: Int?) throws -> ChildProcess {
        let path = try Self.executable()
        let (process, input) = try Self.spawning.withLock { _ in try Self.spawn(path, arguments) }
        defer { close(input) }

        var output: [UInt8] = []
        var lineCount = 0
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(input, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            output += chunk[..<count]
            lineCount += chunk[..<count].count { $0 == UInt8(ascii: "\n") }
            if let lineLimit, lineCount >= lineLimit { kill(process, SIGKILL) }
        }
        var end: Int32 = 0
        while waitpid(process, &end, 0) < 0, errno == EINTR {}
        // A line that the child did not finish is none.
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let signal = end & 0x7f
        return ChildProcess(
            lines: lines.dropLast().map(String.init), signal: signal == 0 ? nil : signal,
            status: signal == 0 ? (end >> 8) & 0xff : nil)
    }

    /// One at a time: between making a pipe and marking it, another child would inherit it and keep it open.
    private static let spawning = LockedState(0)

    /// Starts the child; returns it, and where its standard output can be read.
    private static func spawn(_ path: String, _ arguments: [String]) throws -> (process: pid_t, input: Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure.spawn(errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        defer { words.forEach { free($0) } }
        var process = pid_t()
        let status = posix_spawn(&process, path, &actions, nil, words, environ)
        guard status == 0 else {
            close(ends[0])
            throw Failure.spawn(status)
        }
        return (process, ends[0])
    }

    /// The child lies beside the test program.
    private static func executable() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let path = own.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/sqlite-crash-child"
        guard access(path, X_OK) == 0 else { throw Failure.noExecutable(path) }
        return path
    }
}
