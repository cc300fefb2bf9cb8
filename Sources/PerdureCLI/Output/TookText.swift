/// How long something took, as people say it: `12 ms`, `1.204 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`.
struct TookText: Sendable {
    let text: String

    init(milliseconds: Int64) {
        let seconds = milliseconds / 1_000
        switch milliseconds {
        case ..<0: self.text = "0 ms"
        case ..<1_000: self.text = "\(milliseconds) ms"
        case ..<60_000:
            let rest = String(milliseconds % 1_000)
            self.text = "\(seconds).\(String(repeating: "0", count: 3 - rest.count))\(rest) s"
        case ..<3_600_000: self.text = "\(seconds / 60) min \(seconds % 60) s"
        case ..<86_400_000: self.text = "\(seconds / 3_600) h \(seconds / 60 % 60) min"
        default: self.text = "\(seconds / 86_400) d \(seconds / 3_600 % 24) h"
        }
    }

    /// From one time to another, both in Unix milliseconds; nil where one is not known.
    init?(from start: Int64?, to end: Int64?) {
        guard let start, let end else { return nil }
        self.init(milliseconds: end - start)
    }
}
