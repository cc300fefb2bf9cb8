import Glibc

/// Shows on standard error how far the flying has come: a bar on a terminal, a line now and then elsewhere.
struct ProgressDisplay: Sendable {
    let tally: Tally
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(of tally: Tally) { self.tally = tally }

    /// Shows until the task is cancelled.
    func run() async {
        let pause: Duration = self.isTerminal ? .milliseconds(100) : .seconds(2)
        while (try? await Task.sleep(for: pause)) != nil { self.show() }
        self.show()
        if self.isTerminal { Self.print("\n") }
    }

    /// Prints a line, above the bar if there is one.
    func say(_ text: String) { Self.print((self.isTerminal ? "\r\u{1b}[K" : "") + text + "\n") }

    private func show() {
        let text = Self.text(
            done: self.tally.done, of: self.tally.expected, milliseconds: self.tally.milliseconds,
            withBar: self.isTerminal)
        Self.print(self.isTerminal ? "\r\u{1b}[K\(text)" : text + "\n")
    }

    /// The rows done, the rate, and the time left.
    static func text(done: Int, of expected: Int, milliseconds: Int, withBar: Bool) -> String {
        let width = 30
        let filled = expected == 0 ? width : min(width, done * width / expected)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled) + " "
        let percent = expected == 0 ? 100 : min(100, done * 100 / expected)
        let rate = done * 1_000 / max(1, milliseconds)
        var text = "\(done.grouped) of \(expected.grouped) rows (\(percent) %), \(rate.grouped) a second"
        if done < expected, rate > 0 { text += ", \(((expected - done) / rate + 1).grouped) s left" }
        return (withBar ? bar : "") + text
    }

    private static func print(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
