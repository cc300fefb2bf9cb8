// What our examples use of swift-metrics, declared as releases 2.4 to 2.7 declare it. Examples are compiled against it; nothing is counted.

/// Counts upwards.
public final class Counter: Sendable {
    /// What is counted.
    public let label: String
    /// What it is told apart by.
    public let dimensions: [(String, String)]

    /// A counter of the backend that the process has chosen.
    public init(label: String, dimensions: [(String, String)] = []) {
        self.label = label
        self.dimensions = dimensions
    }

    /// Adds so much.
    @inlinable
    public func increment<DataType: BinaryInteger>(by amount: DataType) {}

    /// Adds one.
    @inlinable
    public func increment() {}
}

/// Collects durations.
public final class Timer: Sendable {
    /// What takes time.
    public let label: String
    /// What it is told apart by.
    public let dimensions: [(String, String)]

    /// A timer of the backend that the process has chosen.
    public init(label: String, dimensions: [(String, String)] = []) {
        self.label = label
        self.dimensions = dimensions
    }

    /// Records a duration.
    @inlinable
    public func recordNanoseconds(_ duration: Int64) {}

    /// Records a duration of another type of integers.
    @inlinable
    public func recordNanoseconds<DataType: BinaryInteger>(_ duration: DataType) {}
}
