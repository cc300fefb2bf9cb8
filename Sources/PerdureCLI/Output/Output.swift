internal import Glibc

/// Where a command writes to: results to standard output, everything else to standard error.
///
/// Text is gathered and written in pieces of some kilobytes. When the reader of a pipe has gone, the process ends as the
/// convention wants it: by SIGPIPE, silently.
final class Output: Sendable {
    /// Whether a person looks at standard output.
    let isTerminal: Bool
    /// Whether to use colors.
    let usesColors: Bool
    /// Whether a program reads it.
    let isJSON: Bool
    private let buffer = Buffer()

    init(isJSON: Bool, color: String) {
        self.isTerminal = isatty(STDOUT_FILENO) == 1
        self.isJSON = isJSON
        switch color {
        case "always": self.usesColors = true
        case "never": self.usesColors = false
        default: self.usesColors = self.isTerminal && getenv("NO_COLOR") == nil && !isJSON
        }
    }

    /// Writes a line of the result.
    func line(_ text: String = "") {
        if self.buffer.append(text + "\n") || self.isTerminal { self.flush() }
    }

    /// Writes bytes of the result as they are.
    func bytes(_ bytes: [UInt8]) {
        self.flush()
        Self.write(bytes, to: STDOUT_FILENO)
    }

    /// Writes an object on a line of its own.
    func json(_ fields: [(String, JSONText)]) { self.line(JSONText.object(fields).text) }

    /// Writes how many there are of something.
    func count(_ count: some BinaryInteger) {
        if self.isJSON { self.json([("count", .number(count))]) } else { self.line("\(count)") }
    }

    /// Writes what has gathered.
    func flush() { Self.write(self.buffer.drain(), to: STDOUT_FILENO) }

    /// Tells a person something that is no result.
    static func note(_ text: String) { Self.write(Array((text + "\n").utf8), to: STDERR_FILENO) }

    /// The text in a color, where colors are used.
    func styled(_ text: String, _ style: Style) -> String {
        self.usesColors ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    enum Style: Int, Sendable {
        case bold = 1
        case dim = 2
        case red = 31
        case green = 32
        case yellow = 33
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.write(descriptor, raw.baseAddress.map { $0 + done }, raw.count - done)
            }
            if count > 0 {
                done += count
            } else if errno == EPIPE {
                signal(SIGPIPE, SIG_DFL)
                // The pool's threads block it.
                var signals = sigset_t()
                sigemptyset(&signals)
                sigaddset(&signals, SIGPIPE)
                pthread_sigmask(SIG_UNBLOCK, &signals, nil)
                raise(SIGPIPE)
            } else if errno != EINTR {
                // A full disk behind standard output: nothing more can be said there.
                if descriptor == STDOUT_FILENO {
                    self.note("perdure: standard output cannot be written: \(String(cString: strerror(errno)))")
                }
                exit(ExitCode.failed.rawValue)
            }
        }
    }
}
