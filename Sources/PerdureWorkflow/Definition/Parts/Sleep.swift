/// Waits, and passes on whatever it is given.
///
/// The wait is stored: it survives crashes and restarts, and meanwhile holds no thread and next to no memory. It ends at a point in
/// time by the wall clock: a process that was down over it goes on at once.
///
/// ```swift
/// Sleep("cool off", for: .seconds(24 * 3600))
/// ```
public struct Sleep: Sendable {
    let node: Node

    /// A wait of `duration` from when the part is reached.
    ///
    /// - Parameters:
    ///   - name: its name, unique in the workflow.
    ///   - duration: how long; not negative.
    public init(_ name: String, for duration: Duration) {
        self.node = Node(name: name, kind: .sleep(.duration(duration)))
    }
}

/// Waits until a time that its input says, and passes the input on.
///
/// ```swift
/// SleepUntil("day of departure") { (booking: Booking) in booking.departure.unixMilliseconds }
/// ```
public struct SleepUntil<Value: Codable & Sendable>: FlowPart {
    private let node: Node

    /// A wait until `time`, in milliseconds since 1970, UTC; one that is over already is not waited for.
    ///
    /// - Parameters:
    ///   - name: its name, unique in the workflow.
    ///   - time: asked once, when the part is reached; what it throws fails the run.
    public init(_ name: String, _ time: @escaping @Sendable (Value) throws -> Int64) {
        self.node = Node(name: name, kind: .sleep(.until { try time($0.decoded(as: Value.self)) }))
    }

    public var parts: Flow<Value, Value> { return Flow(self.node) }
}
