/// A store that can say how it is, and what setting it up would do; for tools.
///
/// Where runs have a store of their own, both can.
package protocol StoreInspection: Sendable {
    /// What `setup()` would send to what it finds now, in its order: statements as they are, requests with their bodies. Changes nothing.
    func setupSteps() async throws(StoreError) -> [String]

    /// What a person wants to know who must find out why a service has trouble. Changes nothing.
    ///
    /// - Throws: ``StoreError`` when the store cannot be asked at all.
    func inspect() async throws(StoreError) -> [StoreFinding]
}

/// Something that was found out about a store.
package struct StoreFinding: Sendable, Hashable {
    /// How good it is.
    package enum Verdict: String, Sendable, Hashable {
        /// As it should be, or only to be known.
        case good
        /// Works, and could be better.
        case advice
        /// Does not work.
        case trouble
    }

    package let verdict: Verdict
    /// What it is about, in a word or two.
    package let subject: String
    /// What was found, and for advice and trouble what to do.
    package let text: String

    package init(_ verdict: Verdict, _ subject: String, _ text: String) {
        self.verdict = verdict
        self.subject = subject
        self.text = text
    }

    /// What the clocks of a server and of this machine say, read within `took` of each other.
    package static func clock(server: Int64, here: Int64, took: Duration) -> StoreFinding {
        let ahead = server - here
        let doubt = took.components.seconds * 1_000 + took.components.attoseconds / 1_000_000_000_000_000 + 1
        let text =
            "the server's clock is \(abs(ahead)) ms \(ahead < 0 ? "behind" : "ahead of") this one, give or take \(doubt) ms"
        return abs(ahead) - doubt > 1_000
            ? StoreFinding(.advice, "clock", text + "; see that both machines synchronize theirs")
            : StoreFinding(.good, "clock", text)
    }

    /// The parts of a schema that are not there, each as a finding; how a person gets them back is in `remedy`.
    package static func missing(_ parts: [String], _ remedy: String) -> [StoreFinding] {
        parts.map { StoreFinding(.trouble, "schema", "\($0) is missing; \(remedy)") }
    }

    /// How many of so many rows that were looked at were not written by this library.
    package static func foreignRows(_ count: Int, of looked: Int) -> StoreFinding {
        StoreFinding(
            .good, "rows of others",
            count == 0
                ? "none of the \(looked) rows that were looked at"
                : "\(count) of the \(looked) rows that were looked at have no write ID: eGo, or another program, wrote them"
        )
    }
}
