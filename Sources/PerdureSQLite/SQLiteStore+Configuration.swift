extension SQLiteStore {
    /// How a store works; the defaults suit a server.
    public struct Configuration: Sendable {
        /// The largest payload in bytes, 64 MiB unless set; 0 to 900,000,000, so that a row stays below SQLite's own limit.
        ///
        /// A larger one is refused before anything is written.
        public var maximumPayloadByteCount = 64 << 20

        /// How many connections read, each on a thread of its own; 2 unless set, 1 to 64.
        ///
        /// Reads never wait for writes, so a few suffice. More help only when reads wait for the disk.
        public var readerCount = 2

        /// How long to wait for a lock that another process holds, 5 seconds unless set; zero to a day.
        ///
        /// After it a write fails with ``StoreError/Code/unavailable``, not applied. Should be less than ``writeDeadline``, which goes on
        /// counting meanwhile.
        public var busyTimeout: Duration = .seconds(5)

        /// How long a write may take from the call to its answer, 30 seconds unless set; 10 milliseconds to a day. Give or take an eighth.
        ///
        /// One that still waits in line is withdrawn with ``StoreError/Code/timeout``, not applied; of one that is being committed
        /// just then the outcome is unknown. A healthy disk never comes near it.
        public var writeDeadline: Duration = .seconds(30)

        /// The most writes in one transaction, 1,024 unless set; 1 to 100,000.
        ///
        /// Only what waits is merged: a higher number delays nothing when the store is idle, but makes the longest wait longer.
        public var maximumBatchCount = 1_024

        /// The most payload bytes in one transaction, 8 MiB unless set; at least 1. A single larger payload goes alone.
        public var maximumBatchByteCount = 8 << 20

        /// How long the write-ahead log grows before it is moved into the file, in pages of usually 4 KiB; 4,000 unless set, at least 1.
        ///
        /// Longer is faster for writes that hit the same rows, and takes longer to recover after a crash. When readers keep
        /// the log from beginning anew until it is eight times as long, writes wait for them once, for ``busyTimeout`` at most.
        public var checkpointPageCount = 4_000

        /// Gets told what happens inside; nobody unless set.
        public var observer: (any EventObserver)?

        /// Makes the default configuration.
        public init() {}

        /// Says which rule is broken, in words, or nil.
        var violation: String? {
            func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) -> String? {
                range.contains(value)
                    ? nil : "\(name) must be \(range.lowerBound) to \(range.upperBound); it is \(value)"
            }
            func check(_ name: String, _ value: Duration, atLeast least: Duration) -> String? {
                (least...(.seconds(86_400))).contains(value)
                    ? nil : "\(name) must be \(least) to 86400 seconds; it is \(value)"
            }
            return check("maximumPayloadByteCount", self.maximumPayloadByteCount, 0...900_000_000)
                ?? check("readerCount", self.readerCount, 1...64)
                ?? check("busyTimeout", self.busyTimeout, atLeast: .zero)
                ?? check("writeDeadline", self.writeDeadline, atLeast: .milliseconds(10))
                ?? check("maximumBatchCount", self.maximumBatchCount, 1...100_000)
                ?? check("maximumBatchByteCount", self.maximumBatchByteCount, 1...(.max))
                ?? check("checkpointPageCount", self.checkpointPageCount, 1...1_000_000)
        }
    }
}

extension Duration {
    /// The duration in whole nanoseconds; those of the configuration are a day at most.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
