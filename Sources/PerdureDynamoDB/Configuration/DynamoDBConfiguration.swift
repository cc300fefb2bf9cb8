internal import PerdureIO
internal import PerdureModel
public import PerdureState

/// Which table a store uses, how it gets there, and how it works.
public struct DynamoDBConfiguration: Sendable {
    /// The table's name.
    public var table: String
    /// The region, such as `eu-central-1`; nil for the environment's, the profile's, or the machine's own.
    public var region: String?
    /// Where the service is, as an `http` or `https` URL; nil for the environment's (`AWS_ENDPOINT_URL_DYNAMODB`,
    /// `AWS_ENDPOINT_URL`), the profile's, or the region's.
    public var endpoint: String?
    /// What requests are signed with; found as people expect unless set.
    public var credentials = Credentials.automatic
    /// The file with the certificates of the authorities to trust; nil for the system's.
    public var authoritiesFile: String?

    /// The most requests under way at once, each on a connection of its own; 64 unless set, 1 to 1,000. More wait.
    ///
    /// As long as answers come later than ``attemptTimeout``, fewer are under way: the number is halved each time, and grows again with
    /// the answers that come.
    public var maximumConnections = 64
    /// How long making a connection may take; 3 seconds unless set.
    public var connectTimeout: Duration = .seconds(3)
    /// How long one attempt of a request may take from when it is sent; 3 seconds unless set.
    public var attemptTimeout: Duration = .seconds(3)
    /// How long a write or a deletion may take with all its attempts; 10 seconds unless set. Then its outcome may be unknown.
    public var writeTimeout: Duration = .seconds(10)
    /// How long a read, or a page of a listing, may take with all its attempts; 10 seconds unless set.
    public var readTimeout: Duration = .seconds(10)
    /// How long ``DynamoDBStore/setup(_:)`` waits for the table to become active; 5 minutes unless set.
    public var setupTimeout: Duration = .seconds(300)
    /// How long the store's thread goes on looking for what comes before it sleeps, counted from the last thing that came; zero unless
    /// set, at most a second.
    ///
    /// A thread that sleeps must be woken for each answer, and finds its caches cold: a good part of what a lone request takes. One that
    /// looks spares that, and takes a whole core while requests are under way and for so long after the last. For machines with
    /// a core to spare; somewhat longer than a request takes is a good value. Many requests at once gain nothing.
    public var busyPolling = Duration.zero

    /// How requests are sent again that failed.
    public var retries = DynamoDBRetries()

    /// The largest payload in bytes, 4 MiB unless set; 0 to 32 MiB. Above 398.5 KiB it is stored in chunks.
    public var maximumPayloadByteCount = 4 << 20
    /// Whether timestamps are written in nanoseconds, as eGo does today, rather than in milliseconds.
    public var writesNanoseconds = false
    /// How long a deleted ID goes on counting its versions; nil, for ever, unless set.
    ///
    /// Afterwards DynamoDB takes the tombstone away, and a writer that has slept so long may hit a newer life of the ID.
    public var tombstoneLifetime: Duration?

    /// How many parts of the table a listing reads side by side, 1 to 64; 1 unless set.
    ///
    /// Several list a large table faster, and spend its capacity faster.
    public var listingSegments = 1

    /// Gets told what happens inside, capacity included; nobody unless set.
    public var observer: (any EventObserver)?

    /// Makes a configuration for a table, with everything else as usual.
    public init(table: String, region: String? = nil) {
        self.table = table
        self.region = region
    }

    /// Where credentials come from.
    public enum Credentials: Sendable, Hashable {
        /// From the environment, the shared files, a web identity token, or the container's or the machine's metadata; the first that has some.
        case automatic
        /// These.
        case fixed(AWSCredentials)
        /// From a profile of the shared files.
        case profile(String)
    }

    var storedUnit: StoredTimestamp.Unit { self.writesNanoseconds ? .nanoseconds : .milliseconds }

    /// Says which setting breaks a rule, in words, or nil.
    var violation: String? {
        let isTableName = self.table.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        if !isTableName || !(3...255).contains(self.table.utf8.count) {
            return "a table's name has 3 to 255 letters, digits, '_', '-' and '.'; it is \(self.table.debugDescription)"
        }
        if let region = self.region {
            let isRegion = region.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "-")
            }
            if region.isEmpty || !isRegion { return "\(region.debugDescription) is no region's name" }
        }
        if let endpoint = self.endpoint, URLParts(endpoint) == nil {
            return "the endpoint must be an http or https URL; it is \(endpoint.debugDescription)"
        }
        if !(1...1_000).contains(self.maximumConnections) {
            return "maximumConnections must be 1 to 1000; it is \(self.maximumConnections)"
        }
        for (name, time) in [
            ("connectTimeout", self.connectTimeout), ("attemptTimeout", self.attemptTimeout),
            ("writeTimeout", self.writeTimeout), ("readTimeout", self.readTimeout), ("setupTimeout", self.setupTimeout),
        ] where time <= .zero || time > .seconds(86_400) {
            return "\(name) must be positive and at most a day; it is \(time)"
        }
        if let violation = EventLoop.violation(ofBusyPolling: self.busyPolling) { return violation }
        if !(0...(32 << 20)).contains(self.maximumPayloadByteCount) {
            return "maximumPayloadByteCount must be 0 to \(32 << 20); it is \(self.maximumPayloadByteCount)"
        }
        if !(1...64).contains(self.listingSegments) {
            return "listingSegments must be 1 to 64; it is \(self.listingSegments)"
        }
        if let lifetime = self.tombstoneLifetime, lifetime <= .zero {
            return "tombstoneLifetime must be positive, or nil"
        }
        if self.retries.maximumAttempts < 1 || self.retries.budget < 0 || self.retries.firstPause <= .zero
            || self.retries.firstPauseWhenThrottled <= .zero || self.retries.longestPause <= .zero
        {
            return "retries must have at least 1 attempt, no negative budget, and positive pauses"
        }
        return nil
    }
}
