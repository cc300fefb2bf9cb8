/// The output of a step whose handler gives nothing.
public struct Done: Codable, Sendable, Hashable {
    /// Makes it.
    public init() {}
}
