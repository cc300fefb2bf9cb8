/// A worker as it is stored: an engine of one process, from the start of its `run()` to its end.
public struct WorkerRecord: Sendable, Hashable {
    /// Unique: another start has another ID.
    public var id: String
    /// What the process is called; a second worker of the same name takes the place of the first.
    public var name: String
    /// The process, where others on the same machine can tell whether it lives; see ``LocalProcess``.
    public var process: String
    /// Goes up with each renewal. A worker whose beat stands still for ``leaseMilliseconds`` is taken for dead.
    public var beat: UInt64
    /// How long a beat is good for, in milliseconds.
    public var leaseMilliseconds: Int64
    /// When it was registered, in Unix milliseconds; for people only.
    public var registeredAt: Int64
    /// When it was last renewed, in Unix milliseconds; for people only: nobody compares the clocks of two machines.
    public var renewedAt: Int64

    /// Makes a record.
    public init(
        id: String, name: String, process: String = "", beat: UInt64 = 1, leaseMilliseconds: Int64,
        registeredAt: Int64, renewedAt: Int64
    ) {
        self.id = id
        self.name = name
        self.process = process
        self.beat = beat
        self.leaseMilliseconds = leaseMilliseconds
        self.registeredAt = registeredAt
        self.renewedAt = renewedAt
    }
}
