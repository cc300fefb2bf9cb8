/// A copy under way: passes over everything until one finds nothing to write, and what a person is told meanwhile.
final class CopyProgress {
    /// What a copy came to.
    struct Result: Sendable, Equatable {
        /// How many things the source has.
        var found = 0
        /// How many were written.
        var written = 0
        /// How many the target would not take, or has otherwise.
        var refused = 0
        /// Whether a pass over everything found no difference.
        var isVerified = false
    }

    /// Things change while they are copied; after so many passes the copy gives up.
    private static let mostPasses = 5

    /// What is copied, in the plural.
    let what: String
    private let line = ProgressLine()
    private var pass = 0
    private var counts = Result()
    /// Each refusal is told once, not in each pass.
    private var told: Set<String> = []

    init(of what: String) { self.what = what }

    /// Passes until one writes nothing; each tells of what it does.
    func passes(_ body: (CopyProgress) async throws -> Void) async throws -> Result {
        defer { self.line.end() }
        var written = 0
        for pass in 1...Self.mostPasses {
            self.pass = pass
            self.counts = Result()
            try await body(self)
            written += self.counts.written
            if self.counts.written == 0 {
                self.counts.isVerified = self.counts.refused == 0
                break
            }
        }
        self.counts.written = written
        return self.counts
    }

    func count(found: Int, written: Int = 0) {
        self.counts.found += found
        self.counts.written += written
    }

    func refuse(_ name: String, because reason: String) {
        self.counts.refused += 1
        guard self.told.count < 100_000, self.told.insert(name).inserted else { return }
        self.line.end()
        Output.note("perdure: \(name): \(reason)".visible)
    }

    /// Tells how far it is.
    func show() {
        self.line.show("pass \(self.pass): \(self.counts.found) \(self.what), \(self.counts.written) written")
    }
}
