internal import CLinux
internal import Glibc

/// A file that a command reads, a piece at a time or as a whole; `-` is standard input.
///
/// Waiting for more, of a pipe or a terminal, ends where the task is cancelled.
final class InputFile: Sendable {
    private let path: String
    private let descriptor: Int32
    /// Ready from when the task that reads is cancelled.
    private let cancelled: Int32

    /// - Throws: ``Unreadable`` with the system's reason.
    init(_ path: String) throws(Unreadable) {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(path, errno) }
        let cancelled = clinux_eventfd()
        if cancelled < 0 {
            if path != "-" { close(descriptor) }
            throw Unreadable(path, -cancelled)
        }
        self.path = path
        self.descriptor = descriptor
        self.cancelled = cancelled
    }

    deinit {
        close(self.cancelled)
        if self.path != "-" { close(self.descriptor) }
    }

    /// What comes next; empty at the end.
    ///
    /// - Throws: ``Unreadable`` with the system's reason; `CancellationError`.
    func next() async throws -> [UInt8] {
        try await withTaskCancellationHandler {
            try self.waitForMore()
            var piece = [UInt8](repeating: 0, count: 65_536)
            let count = try self.repeatingInterrupted {
                piece.withUnsafeMutableBytes { Glibc.read(self.descriptor, $0.baseAddress, $0.count) }
            }
            return Array(piece.prefix(count))
        } onCancel: {
            clinux_eventfd_signal(self.cancelled)
        }
    }

    /// Everything up to the end.
    ///
    /// - Throws: As ``next()``.
    func read() async throws -> [UInt8] {
        var contents: [UInt8] = []
        while true {
            let piece = try await self.next()
            if piece.isEmpty { return contents }
            contents += piece
        }
    }

    /// Returns when there is something to read, or the end. A file on disk is always ready.
    private func waitForMore() throws {
        var watched = [self.descriptor, self.cancelled].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        _ = try self.repeatingInterrupted { Int(poll(&watched, nfds_t(watched.count), -1)) }
        if watched[1].revents != 0 { throw CancellationError() }
    }

    /// What a system call returns that is made again where a signal cut it short.
    private func repeatingInterrupted(_ call: () -> Int) throws(Unreadable) -> Int {
        while true {
            let result = call()
            if result >= 0 { return result }
            if errno != EINTR { throw Unreadable(self.path, errno) }
        }
    }

    /// A file that cannot be read.
    struct Unreadable: Error, CustomStringConvertible {
        let description: String

        init(_ path: String, _ code: Int32) {
            self.description = "\(path.debugDescription) cannot be read: \(String(cString: strerror(code)))"
        }
    }
}
