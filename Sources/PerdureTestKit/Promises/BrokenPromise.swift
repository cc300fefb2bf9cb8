/// What a store did that it had promised not to do: the error that a promise of the suite throws.
public struct BrokenPromise: Error, Sendable, Hashable, Codable, CustomStringConvertible {
    /// The promise's number in the list of ``StateStore``; see ``StatePromise/number``.
    public let number: Int
    /// The promise's name, a sentence about the store.
    public let name: String
    /// What should have happened.
    public let expected: String
    /// What happened.
    public let found: String
    /// The seed of the run; what was random comes from it.
    public let seed: UInt64
    /// Where in the suite the expectation is, as `Module/File.swift:line`.
    public let location: String
    /// Whether all that is wrong is that the store did not answer in time, or said that it cannot now.
    public var isOverload = false

    /// The whole story on one line.
    public var description: String {
        "promise \(self.number) is broken: \(self.name): expected \(self.expected); found \(self.found)"
            + " (seed \(self.seed), \(self.location))"
    }
}

/// Thrown by a promise that cannot be tested on this store, with the reason.
struct UntestedPromise: Error {
    let reason: String
}
