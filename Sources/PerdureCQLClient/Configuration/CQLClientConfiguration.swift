public import PerdureCQL
internal import PerdureIO

/// How to reach a cluster, and how to use it.
public struct CQLClientConfiguration: Sendable {
    /// Nodes to begin with, as addresses or host names; the others are found by asking one of them. At least one.
    public var contactPoints: [String]
    /// The port of the contact points, and of nodes that do not say theirs.
    public var port: Int
    /// The data centre whose nodes are used; nil treats all nodes alike, which is right where there is one data centre only.
    public var localDataCenter: String?
    /// How many nodes of each other data centre may be used when none of the local one is left; only with ``localDataCenter``.
    public var remoteNodes = 0
    /// The keyspace of table names that do not say theirs; it must exist. Nil: every statement names its own.
    public var keyspace: String?
    /// Who we are, for servers with `PasswordAuthenticator`; nil where the server does not ask.
    public var credentials: CQLPlainCredentials?
    /// How connections are protected; nil for not at all.
    public var tls: CQLTLSConfiguration?
    /// The compression of connections, if the server offers it; nil for none, which is best in one data centre.
    public var compression: CQLCompression?
    /// The newest version of the protocol to speak; older ones are fallen back to.
    public var newestVersion = CQLVersion.v5

    /// How many connections are kept to each node; each carries many requests at once. 1 to 16.
    public var connectionsPerNode = 1
    /// How many requests a connection carries at once; more wait. 1 to 32 768.
    public var requestsPerConnection = 2048
    /// How many requests may wait for a connection; more are refused with ``CQLClientError/Code/overloaded``.
    public var maximumWaitingRequests = 65_536
    /// The largest message in bytes, 1 KiB to 256 MiB; the server's own limit is 16 MiB unless set.
    public var maximumMessageByteCount = 16 << 20

    /// The consistency of statements that do not say theirs.
    public var consistency = CQLConsistency.localQuorum
    /// The serial consistency of conditional writes that do not say theirs; nil for the server's default, ``CQLConsistency/serial``.
    public var serialConsistency: CQLConsistency?
    /// How long a request may take that does not say, waiting and trying again included.
    public var requestTimeout: Duration = .seconds(10)
    /// How long connecting to one node may take, until requests can be sent.
    public var connectTimeout: Duration = .seconds(5)
    /// How often a request is tried, the first time included.
    public var retry = CQLRetryPolicy()
    /// Whether, and when, a second node is asked while the first has not answered yet.
    public var speculation: CQLSpeculation?
    /// The wait before connecting to a node again: after the first failure, and at most.
    public var reconnection = CQLBackoff()
    /// How often a connection without traffic is checked.
    public var heartbeatInterval: Duration = .seconds(30)
    /// How long the client's thread goes on looking for what comes before it sleeps, counted from the last thing that came; zero unless
    /// set, at most a second.
    ///
    /// A thread that sleeps must be woken for each answer, and finds its caches cold: a good part of what a lone request takes. One that
    /// looks spares that, and takes a whole core while requests are under way and for so long after the last. For machines with
    /// a core to spare; somewhat longer than a request takes is a good value. Many requests at once gain nothing.
    public var busyPolling = Duration.zero
    /// How long a change of the schema may take until all nodes that are up have it.
    public var schemaAgreementTimeout: Duration = .seconds(10)
    /// What the server's tools show as the name of this client.
    public var applicationName = "perdure"

    /// Makes a configuration; everything that is not named here has a default.
    public init(
        contactPoints: [String], port: Int = 9042, localDataCenter: String? = nil, keyspace: String? = nil,
        credentials: CQLPlainCredentials? = nil, tls: CQLTLSConfiguration? = nil
    ) {
        self.contactPoints = contactPoints
        self.port = port
        self.localDataCenter = localDataCenter
        self.keyspace = keyspace
        self.credentials = credentials
        self.tls = tls
    }

    /// The first rule that a setting breaks, in words; nil where all is well.
    var violation: String? {
        if self.contactPoints.isEmpty { return "contactPoints is empty; name at least one node" }
        if let empty = self.contactPoints.first(where: { $0.isEmpty || $0.utf8.contains(0) }) {
            return "the contact point \(empty.debugDescription) is no host name and no address"
        }
        if let serial = self.serialConsistency, !serial.isSerial {
            return "serialConsistency is \(serial); it must be serial or local_serial"
        }
        if self.localDataCenter == nil, self.remoteNodes > 0 { return "remoteNodes needs localDataCenter" }
        let counts: [(name: String, value: Int, range: ClosedRange<Int>)] = [
            ("port", self.port, 1...65535),
            ("remoteNodes", self.remoteNodes, 0...1000),
            ("connectionsPerNode", self.connectionsPerNode, 1...16),
            ("requestsPerConnection", self.requestsPerConnection, 1...32768),
            ("maximumWaitingRequests", self.maximumWaitingRequests, 0...16_777_216),
            ("maximumMessageByteCount", self.maximumMessageByteCount, 1024...268_435_456),
        ]
        for (name, value, range) in counts where !range.contains(value) {
            return "\(name) is \(value); it must be \(range.lowerBound) to \(range.upperBound)"
        }
        var times: [(name: String, value: Duration)] = [
            ("requestTimeout", self.requestTimeout),
            ("connectTimeout", self.connectTimeout),
            ("heartbeatInterval", self.heartbeatInterval),
            ("schemaAgreementTimeout", self.schemaAgreementTimeout),
        ]
        if let speculation = self.speculation { times.append(("speculation.delay", speculation.delay)) }
        for (name, value) in times where value <= .zero {
            return "\(name) is \(value); it must be more than nothing"
        }
        return EventLoop.violation(ofBusyPolling: self.busyPolling) ?? self.tls?.violation
    }
}

/// When other nodes are asked while the first has not answered yet: for a better worst case, at the price of more work.
///
/// Only requests that may be done twice take part: reads, and writes that are said to be idempotent. Never conditional writes.
public struct CQLSpeculation: Sendable, Hashable {
    /// How long each node has before the next is asked; a little over what most requests take.
    public var delay: Duration
    /// How many nodes may be asked in all; at least 2.
    public var maximumNodes: Int

    /// Makes a policy.
    public init(delay: Duration, maximumNodes: Int = 2) {
        self.delay = delay
        self.maximumNodes = max(2, maximumNodes)
    }
}
