public import PerdureCQLClient
internal import PerdureModel
public import PerdureState

/// How to reach a cluster, which table to use, and how.
public struct CassandraConfiguration: Sendable {
    /// Nodes to begin with, as addresses or host names; the others are found by asking one of them.
    public var contactPoints: [String]
    /// The port that all nodes listen on, unless they say otherwise; 9042.
    public var port = 9_042
    /// The keyspace that has the tables, under its exact name.
    public var keyspace: String
    /// The table of states, under its exact name; `states_store`. Ours beside it have its name and more.
    public var table = "states_store"
    /// What the names of the tables of workflow runs begin with, exactly; `workflow`.
    public var runTables = "workflow"
    /// The data centre whose nodes are used; nil where there is one only.
    public var localDataCenter: String?
    /// The name to log in with; nil where the cluster does not ask.
    public var user: String?
    /// The password to log in with.
    public var password: String?
    /// How connections are protected.
    public var tls = TLS.unlessLocal
    /// The compression of connections, if the nodes offer it; nil for none.
    public var compression: CQLCompression?
    /// How many connections are kept to each node; 1. Each carries many requests at once.
    public var connectionsPerNode = 1

    /// Whether writes may have conditions, and what reads and writes cost therefore.
    public var writes = Writes.conditional
    /// How many replicas must have a write, and answer to a plain read.
    public var consistency = CQLConsistency.localQuorum
    /// Among which replicas conditional writes and the reads that go with them are decided: all
    /// (``CQLConsistency/serial``) or those of the local data centre (``CQLConsistency/localSerial``). Every program that writes the
    /// table must say the same.
    public var serialConsistency = CQLConsistency.serial
    /// How states are read where writes may have conditions.
    public var reads = Reads.serial

    /// Over how many shards IDs are spread in a table whose key begins with `shard_number`; nil for what the table was set up with,
    /// or 1,024. Other tables keep the shard as it is given.
    public var shards: UInt64?
    /// Whether rows are looked for under other shards than that of their ID, in a table whose key begins with `shard_number`.
    public var otherShards = OtherShards.found

    /// How long connecting may take.
    public var connectTimeout: Duration = .seconds(10)
    /// How long one attempt of a request may take; 5 seconds unless set. The cluster's own time-outs should be shorter.
    public var attemptTimeout: Duration = .seconds(5)
    /// How long a write or a deletion may take with all its attempts; 10 seconds unless set. Then its outcome may be unknown.
    public var writeTimeout: Duration = .seconds(10)
    /// How long a read, or a page of a listing, may take with all its attempts; 10 seconds unless set.
    public var readTimeout: Duration = .seconds(10)
    /// How long ``CassandraStore/setup(_:)`` may take; 2 minutes unless set.
    public var setupTimeout: Duration = .seconds(120)

    /// How long the store's thread goes on looking for what comes before it sleeps, counted from the last thing that came; zero unless
    /// set, at most a second.
    ///
    /// A thread that sleeps must be woken for each answer, and finds its caches cold: a good part of what a lone request takes. One that
    /// looks spares that, and takes a whole core while requests are under way and for so long after the last. For machines with
    /// a core to spare; somewhat longer than a request takes is a good value. Many requests at once gain nothing.
    public var busyPolling = Duration.zero

    /// The largest payload in bytes, 4 MiB unless set; 0 to 32 MiB. Above 1 MiB it is stored in chunks.
    public var maximumPayloadByteCount = 4 << 20
    /// Whether timestamps are written in nanoseconds, as eGo does today, rather than in milliseconds.
    public var writesNanoseconds = false

    /// The newest version of the protocol to speak; for tests that read along.
    var newestVersion = CQLVersion.v5

    /// Gets told what happens inside; nobody unless set.
    public var observer: (any EventObserver)?

    /// Makes a configuration for a keyspace, with everything else as usual.
    public init(contactPoints: [String], port: Int = 9_042, keyspace: String) {
        self.contactPoints = contactPoints
        self.port = port
        self.keyspace = keyspace
    }

    /// Whether writes may have conditions.
    public enum Writes: String, Sendable, Hashable {
        /// They may, by lightweight transactions; ``WriteCondition/always`` is one too, so that it can be mixed with the others.
        case conditional
        /// The latest write wins, by the clocks of the writers; writes with conditions are refused. Several times faster, and what eGo does.
        case latest
    }

    /// How states are read.
    public enum Reads: String, Sendable, Hashable {
        /// Linearizable: at the serial consistency, which costs a round of agreement.
        case serial
        /// At ``CassandraConfiguration/consistency``: faster; may not see a write whose answer was lost, and later see it after all.
        case plain
    }

    /// What of rows that others wrote under another shard.
    public enum OtherShards: String, Sendable, Hashable {
        /// They are found by the index on `persistence_id` that the table then must have, and stay where they are.
        case found
        /// There are none: all programs derive the shard from the ID as this one does.
        case ignored
    }

    /// How connections are protected.
    public enum TLS: Sendable, Hashable {
        /// With the system's authorities and names verified, unless every contact point is this machine.
        case unlessLocal
        /// Not at all.
        case off
        /// As it says.
        case on(CQLTLSConfiguration)
    }
}

extension CassandraConfiguration {
    var storedUnit: StoredTimestamp.Unit { self.writesNanoseconds ? .nanoseconds : .milliseconds }

    /// How the states of one partition are read.
    var readConsistency: CQLConsistency {
        self.writes == .conditional && self.reads == .serial ? self.serialConsistency : self.consistency
    }

    /// How many replicas have chunks before anything refers to them, and are asked for them: those among which the reference is decided.
    var chunkConsistency: CQLConsistency {
        self.serialConsistency == .serial ? .quorum : .localQuorum
    }

    /// What the driver has to know.
    var client: CQLClientConfiguration {
        var client = CQLClientConfiguration(
            contactPoints: self.contactPoints, port: self.port, localDataCenter: self.localDataCenter)
        if let user = self.user {
            client.credentials = CQLPlainCredentials(username: user, password: self.password ?? "")
        }
        switch self.tls {
        case .off: break
        case .on(let tls): client.tls = tls
        case .unlessLocal: if !self.contactPoints.allSatisfy(Self.isLocal) { client.tls = CQLTLSConfiguration() }
        }
        client.compression = self.compression
        client.newestVersion = self.newestVersion
        client.connectionsPerNode = self.connectionsPerNode
        client.consistency = self.consistency
        client.serialConsistency = self.serialConsistency
        client.busyPolling = self.busyPolling
        client.requestTimeout = self.attemptTimeout
        client.connectTimeout = min(self.connectTimeout, .seconds(5))
        return client
    }

    private static func isLocal(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.split(separator: ".").count == 4)
    }

    /// Says which setting breaks a rule, in words, or nil.
    var violation: String? {
        for (name, value) in [("keyspace", self.keyspace), ("table", self.table), ("runTables", self.runTables)] {
            let isName = value.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
            // Cassandra allows 48; the tables beside that of states, and those of runs, have longer names.
            let limit = name == "keyspace" ? 48 : 36
            if !isName || !(1...limit).contains(value.utf8.count) {
                return "the \(name)'s name has 1 to \(limit) letters, digits and '_';"
                    + " it is \(value.debugDescription)"
            }
        }
        if !self.serialConsistency.isSerial {
            return "serialConsistency is \(self.serialConsistency); it must be serial or local_serial"
        }
        let consistencies: [CQLConsistency] = [.one, .two, .three, .quorum, .all, .localQuorum, .localOne]
        if !consistencies.contains(self.consistency) {
            return "consistency is \(self.consistency); it must be one of "
                + consistencies.map(\.description).joined(separator: ", ")
        }
        if let shards = self.shards, !(1...UInt64(Int64.max)).contains(shards) {
            return "shards must be 1 to \(Int64.max); it is \(shards)"
        }
        for (name, time) in [
            ("connectTimeout", self.connectTimeout), ("attemptTimeout", self.attemptTimeout),
            ("writeTimeout", self.writeTimeout), ("readTimeout", self.readTimeout), ("setupTimeout", self.setupTimeout),
        ] where time <= .zero || time > .seconds(86_400) {
            return "\(name) must be positive and at most a day; it is \(time)"
        }
        if !(0...(32 << 20)).contains(self.maximumPayloadByteCount) {
            return "maximumPayloadByteCount must be 0 to \(32 << 20); it is \(self.maximumPayloadByteCount)"
        }
        if self.password != nil, self.user == nil { return "there is a password, and no user that it belongs to" }
        do throws(CQLClientError) { _ = try CQLClient(self.client) } catch { return error.message }
        return nil
    }
}

extension CassandraConfiguration: CustomStringConvertible, CustomReflectable {
    /// Where the cluster is; never the password.
    public var description: String {
        "cassandra://\(self.user.map { "\($0)@" } ?? "")\(self.contactPoints.joined(separator: ",")):\(self.port)"
            + "/\(self.keyspace)"
    }

    /// Shows only ``description``, so that no dump has the password.
    public var customMirror: Mirror { Mirror(self, children: ["cluster": self.description]) }
}
