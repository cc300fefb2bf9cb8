import Glibc
import PerdureConcurrency

/// The tool in a pseudo-terminal, with a person at it.
///
/// Blocks its thread; made for ``withTerminal(_:in:environment:_:)``.
final class ToolTerminal {
    private let master: Int32
    private let process: pid_t
    /// What was shown so far.
    private(set) var shown: [UInt8] = []

    struct Failure: Error, CustomStringConvertible { let description: String }

    init(_ arguments: [String], in folder: String, environment: [String: String]) throws {
        // What posix_openpt and its friends do, which Swift's Glibc does not have: TIOCSPTLCK, TIOCGPTN.
        self.master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (lock, number): (Int32, Int32) = (0, 0)
        guard self.master >= 0, ioctl(self.master, 0x4004_5431, &lock) == 0,
            ioctl(self.master, 0x8004_5430, &number) == 0
        else { throw Failure(description: "there is no pseudo-terminal: \(errno)") }
        let slave = "/dev/pts/\(number)"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in 0...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, descriptor, slave, O_RDWR, 0)
        }
        posix_spawn_file_actions_addchdir_np(&actions, folder)
        // In a session of its own the terminal is the one that Ctrl-C comes from.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, 0x80)  // POSIX_SPAWN_SETSID
        let path = ToolProcess.executable
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var process = pid_t()
        let code = posix_spawn(&process, path, &actions, &attributes, &words, &variables)
        guard code == 0 else { throw Failure(description: "the tool cannot be started: \(code)") }
        self.process = process
    }

    /// Reads until one of `texts` was shown.
    func wait(for texts: String...) throws {
        while !texts.contains(where: self.hasShown) {
            guard try self.read() else { throw Failure(description: "it ended before \(texts)") }
        }
    }

    /// Whether `text` was shown.
    func hasShown(_ text: String) -> Bool { String(decoding: self.shown, as: UTF8.self).firstRange(of: text) != nil }

    /// Types something.
    func type(_ text: String) {
        var text = text
        text.withUTF8 { bytes in _ = write(self.master, bytes.baseAddress, bytes.count) }
    }

    /// Reads to the end; returns the exit code, nil where a signal ended it.
    func end() throws -> Int32? {
        while try self.read() {}
        close(self.master)
        var end: Int32 = 0
        while waitpid(self.process, &end, 0) < 0, errno == EINTR {}
        return end & 0x7f == 0 ? (end >> 8) & 0xff : nil
    }

    /// Reads some; false at the end.
    private func read() throws -> Bool {
        var poller = pollfd(fd: self.master, events: Int16(POLLIN), revents: 0)
        guard poll(&poller, 1, 60_000) > 0 else {
            kill(self.process, SIGKILL)
            throw Failure(
                description: "nothing came for a minute, after \(String(decoding: self.shown, as: UTF8.self))")
        }
        var piece = [UInt8](repeating: 0, count: 4_096)
        let count = piece.withUnsafeMutableBytes { Glibc.read(self.master, $0.baseAddress, $0.count) }
        // EIO: nobody has the other side any more.
        guard count > 0 else { return false }
        self.shown += piece.prefix(count)
        return true
    }
}

/// Runs the tool in a pseudo-terminal while `body` types; returns what was shown, and the exit code.
func withTerminal(
    _ arguments: [String], in folder: String, environment: [String: String] = [:],
    _ body: @escaping @Sendable (ToolTerminal) throws -> Void = { _ in }
) async throws -> (shown: String, status: Int32?) {
    try await BlockingThread.run(named: "terminal") {
        Result {
            let terminal = try ToolTerminal(arguments, in: folder, environment: environment)
            try body(terminal)
            let status = try terminal.end()
            return (String(decoding: terminal.shown, as: UTF8.self), status)
        }
    }.get()
}
