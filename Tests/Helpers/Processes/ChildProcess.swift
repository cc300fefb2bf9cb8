package import Glibc
internal import PerdureConcurrency

/// A run of one of our programs, from start to end.
package struct ChildProcess: Sendable {
    /// The lines that it wrote to standard output.
    package var lines: [String]
    /// The signal that ended it, if one did.
    package var signal: Int32?
    /// With what it ended by itself, if it did.
    package var status: Int32?

    package var isFinished: Bool { self.lines.last?.hasPrefix("done ") == true }
    package var violations: [String] { self.lines.filter { $0.hasPrefix("violation") } }

    package enum Failure: Error {
        case noExecutable(String)
        case spawn(Int32)
    }

    /// Runs a program to its end. Kills it once it has written `lineLimit` lines, if that is given.
    package static func run(
        _ program: String, _ arguments: [String], killAfterLines lineLimit: Int? = nil
    ) async throws -> ChildProcess {
        try await RunningProcess.start(program, arguments).end(killAfterLines: lineLimit)
    }
}

/// One of our programs, which runs, and can be sent signals.
package struct RunningProcess: Sendable {
    /// Its process ID; nobody else's until ``end(killAfterLines:)`` has returned.
    package let id: pid_t
    private let output: Int32

    /// Starts a program that lies beside the test program.
    package static func start(_ program: String, _ arguments: [String]) throws -> RunningProcess {
        let path = try self.executable(program)
        return try self.spawning.withLock { _ in try self.spawn(path, arguments) }
    }

    /// Sends a signal.
    package func send(_ signal: Int32) { kill(self.id, signal) }

    /// Reads what it writes until it ends. Kills it once it has written `lineLimit` lines, if that is given. To be called once.
    package func end(killAfterLines lineLimit: Int? = nil) async throws -> ChildProcess {
        try await BlockingThread.run(named: "child") { self.endHere(lineLimit) }
    }

    private func endHere(_ lineLimit: Int?) -> ChildProcess {
        defer { close(self.output) }
        var output: [UInt8] = []
        var lineCount = 0
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(self.output, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            output += chunk[..<count]
            lineCount += chunk[..<count].count { $0 == UInt8(ascii: "\n") }
            if let lineLimit, lineCount >= lineLimit { self.send(SIGKILL) }
        }
        var end: Int32 = 0
        while waitpid(self.id, &end, 0) < 0, errno == EINTR {}
        // A line that the child did not finish is none.
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let signal = end & 0x7f
        return ChildProcess(
            lines: lines.dropLast().map(String.init), signal: signal == 0 ? nil : signal,
            status: signal == 0 ? (end >> 8) & 0xff : nil)
    }

    /// One at a time: between making a pipe and marking it, another child would inherit it and keep it open.
    private static let spawning = LockedState(0)

    /// Starts the child, with its standard output to be read by us.
    private static func spawn(_ path: String, _ arguments: [String]) throws -> RunningProcess {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw ChildProcess.Failure.spawn(errno) }
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
            throw ChildProcess.Failure.spawn(status)
        }
        return RunningProcess(id: process, output: ends[0])
    }

    /// Where the test program lies, and all that was built with it.
    package static var folder: String {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    }

    /// The path of a program that lies beside the test program.
    package static func executable(_ program: String) throws -> String {
        let path = self.folder + "/" + program
        guard access(path, X_OK) == 0 else { throw ChildProcess.Failure.noExecutable(path) }
        return path
    }
}
