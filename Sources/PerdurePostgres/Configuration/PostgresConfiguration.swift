internal import PerdureIO
public import PerdureModel

/// How to reach a PostgreSQL server, and how to use it.
///
/// What is not said comes from the `PG*` environment variables, the service file and the password file, as with every program
/// that uses libpq, and then from the defaults named here.
public struct PostgresConfiguration: Sendable {
    /// Where servers are, tried in this order; empty for the environment's, or the local socket. With several, the one that takes writes is used.
    public var hosts: [Host] = []
    /// The database's name; nil for the environment's, or the user's name.
    public var database: String?
    /// The role to log in as; nil for the environment's, or the system user's name.
    public var user: String?
    /// The role's password; nil for the environment's, or the one in the password file.
    public var password: String?
    /// The schema that has the tables, under its exact name, which may need quoting; nil for the role's `search_path`.
    public var schema: String?
    /// How the connection is protected; nil for the environment's, or ``TLSMode/verifyFull`` unless every host is this machine.
    public var tls: TLSMode?
    /// The file with the certificates of the authorities to trust; nil for the environment's, the one in `~/.postgresql`, or the system's.
    public var tlsRootCertificateFile: String?
    /// The name under which the server lists the connections.
    public var applicationName = "perdure"
    /// More settings of libpq, by their keywords: `sslcert`, `target_session_attrs`, ... They win over the rest.
    public var parameters: [String: String] = [:]

    /// How many connections are kept, and for how long.
    public var pool = Pool()

    /// How long connecting may take, the finding of a server that takes writes included.
    public var connectTimeout: Duration = .seconds(10)
    /// How long a write or delete may take, waiting and trying again included. Afterwards its outcome may be unknown.
    public var writeTimeout: Duration = .seconds(10)
    /// How long a read or a listing may take, waiting and trying again included.
    public var readTimeout: Duration = .seconds(10)
    /// How long the store's thread goes on looking for what comes before it sleeps, counted from the last thing that came; zero unless
    /// set, at most a second.
    ///
    /// A thread that sleeps must be woken for each answer, and finds its caches cold: a good part of what a lone request takes. One that
    /// looks spares that, and takes a whole core while requests are under way and for so long after the last. For machines with
    /// a core to spare; somewhat longer than a request takes is a good value. Many requests at once gain nothing.
    public var busyPolling = Duration.zero

    /// The largest payload that is written, in bytes; 64 MiB. The server itself would take close to 1 GB.
    public var maximumPayloadByteCount = 64 << 20

    /// The unit in which timestamps are written; reading tells every unit apart.
    public var writesNanoseconds = false

    /// Gets told what happens inside; nobody unless set.
    public var observer: (any EventObserver)?

    /// Makes a configuration that takes everything from the environment.
    public init() {}

    /// Makes a configuration for one server, with the settings that the eGo store has.
    public init(
        host: String, port: Int = 5432, database: String, user: String, password: String? = nil,
        schema: String? = nil, tls: TLSMode? = nil
    ) {
        self.hosts = [Host(host, port: port)]
        self.database = database
        self.user = user
        self.password = password
        self.schema = schema
        self.tls = tls
    }

    /// A place where a server listens.
    public struct Host: Sendable, Hashable {
        /// A name, an address, or the folder of a local socket (absolute).
        public var name: String
        /// The port; nil for 5432.
        public var port: Int?

        /// Makes a place.
        public init(_ name: String, port: Int? = nil) {
            self.name = name
            self.port = port
        }
    }

    /// How a connection is protected; the names are libpq's.
    public enum TLSMode: String, Sendable, Hashable {
        /// Never.
        case disable
        /// Only if the server insists.
        case allow
        /// If the server can; nobody is checked.
        case prefer
        /// Always; nobody is checked.
        case require
        /// Always; the server's certificate must come from a trusted authority.
        case verifyCA = "verify-ca"
        /// Always; the certificate must be the host's and come from a trusted authority.
        case verifyFull = "verify-full"
    }

    /// How many connections are kept, and for how long.
    public struct Pool: Sendable, Hashable {
        /// The pool keeps at least as many connections open; 1.
        public var minimumConnections = 1
        /// There are never more connections than this; 4.
        public var maximumConnections = 4
        /// A connection is replaced at this age, less a random tenth; one hour, nil for never.
        public var connectionLifetime: Duration? = .seconds(3_600)
        /// A connection beyond the minimum is closed when it was unused for this time; 10 minutes, nil for never.
        public var connectionIdleTime: Duration? = .seconds(600)
        /// A connection that was unused for this time is asked whether it still works; 30 seconds, nil for never.
        public var healthCheckInterval: Duration? = .seconds(30)
        /// How many batches of writes may be under way at once; 2. More of them are smaller, which is seldom faster.
        public var maximumWriteBatches = 2

        /// Makes a pool's settings.
        public init() {}
    }

    /// Says which setting is out of its range, in words, or nil when all are well.
    var violation: String? {
        if self.pool.maximumConnections < 1 {
            return "the pool's maximum is \(self.pool.maximumConnections); it needs at least 1"
        }
        if !(0...self.pool.maximumConnections).contains(self.pool.minimumConnections) {
            return "the pool's minimum is \(self.pool.minimumConnections);"
                + " it must lie between 0 and the maximum, \(self.pool.maximumConnections)"
        }
        if self.pool.maximumWriteBatches < 1 {
            return "the pool allows \(self.pool.maximumWriteBatches) batches of writes at once; it needs at least 1"
        }
        for (name, time) in [
            ("connect", self.connectTimeout), ("write", self.writeTimeout), ("read", self.readTimeout),
        ] where time <= .zero { return "the \(name) time-out is \(time); it must be positive" }
        if let violation = EventLoop.violation(ofBusyPolling: self.busyPolling) { return violation }
        for (name, time) in [
            ("life time", self.pool.connectionLifetime), ("idle time", self.pool.connectionIdleTime),
            ("health check interval", self.pool.healthCheckInterval),
        ] {
            if let time, time <= .zero { return "the connections' \(name) is \(time); it must be positive, or nil" }
        }
        if self.maximumPayloadByteCount < 0 || self.maximumPayloadByteCount > Self.largestPayload {
            return
                "the largest payload is \(self.maximumPayloadByteCount) bytes; it must lie between 0 and \(Self.largestPayload)"
        }
        for host in self.hosts {
            if let port = host.port, !(1...65_535).contains(port) { return "\(port) is not a port" }
        }
        let texts =
            [self.database, self.user, self.password, self.schema, self.tlsRootCertificateFile].compactMap { $0 }
            + self.hosts.map(\.name) + self.parameters.map(\.value)
        if texts.contains(where: { $0.utf8.contains(0) }) { return "a setting contains NUL (U+0000)" }
        return nil
    }

    /// PostgreSQL keeps no field of 1 GB, nor a message with one.
    static let largestPayload = 900 << 20
}

extension PostgresConfiguration: CustomStringConvertible, CustomReflectable {
    /// Where the server is; never the password.
    public var description: String {
        let hosts = self.hosts.map { host in host.port.map { "\(host.name):\($0)" } ?? host.name }.joined(
            separator: ",")
        return "postgres://\(self.user.map { "\($0)@" } ?? "")\(hosts)/\(self.database ?? "")"
    }

    /// Shows only ``description``, so that no dump has the password.
    public var customMirror: Mirror { Mirror(self, children: ["server": self.description]) }
}
