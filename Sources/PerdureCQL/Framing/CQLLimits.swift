/// What a connection is willing to hold in memory, and to send.
public struct CQLLimits: Sendable, Hashable {
    /// The largest body of a received message in bytes, compressed or not; 256 MiB by default, as the protocol has it.
    public var received: Int
    /// The largest body of a sent message in bytes; 16 MiB by default, as Cassandra's `native_transport_max_frame_size`.
    public var sent: Int

    /// Makes limits; each is kept between 1 KiB and 256 MiB.
    public init(received: Int = 256 << 20, sent: Int = 16 << 20) {
        self.received = min(max(received, 1 << 10), 256 << 20)
        self.sent = min(max(sent, 1 << 10), 256 << 20)
    }
}

/// Which end of a connection a decoder or encoder serves.
public enum CQLRole: Sendable, Hashable {
    /// Sends requests, receives responses.
    case client
    /// Receives requests, sends responses: for peers that a test scripts.
    case server
}
