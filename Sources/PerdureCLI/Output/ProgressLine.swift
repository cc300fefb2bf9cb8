internal import Glibc
internal import PerdureModel

/// Tells a person how far long work has come: on a terminal by a line that is written over, elsewhere by a line now and then.
final class ProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let clock = SystemClock()
    private var shownAt: Duration?
    private var isOpen = false

    func show(_ text: String) {
        let now = self.clock.now
        let pause: Duration = self.isTerminal ? .milliseconds(100) : .seconds(5)
        if let shownAt = self.shownAt, now - shownAt < pause { return }
        // The first line elsewhere comes after a while: short work needs none.
        defer { self.shownAt = now }
        if self.isTerminal {
            self.write("\r\u{1B}[K\(text)")
            self.isOpen = true
        } else if self.shownAt != nil {
            self.write("\(text)\n")
        }
    }

    /// Takes the line away, so that something else can be written.
    func end() {
        if self.isOpen { self.write("\r\u{1B}[K") }
        self.isOpen = false
    }

    private func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }
}
