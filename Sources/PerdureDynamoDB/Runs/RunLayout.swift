/// Over how many partitions a table of runs spreads what many runs share; fixed when the table is set up.
///
/// DynamoDB gives a partition of a table, or of an index, 1,000 writes of 1 KB a second. Every step of every run writes the run's
/// item, and with it its entries in the two indexes: with one partition for each status all running runs together share those 1,000.
public struct DynamoDBRunLayout: Sendable, Hashable {
    /// Into how many parts each key of the two indexes is split; 1 unless set, 1 to 64.
    ///
    /// With 1 the keys are `STATUS#RUNNING` and `WORKFLOW#name`, as other programs look for them; with more a part's number
    /// follows: `STATUS#RUNNING#3`. Raise it when more than some hundred steps a second are recorded.
    public var indexShards: Int
    /// Into how many parts schedules and lists are split; 4 unless set, 1 to 64. A worker that looks for work asks each of them.
    public var scheduleShards: Int

    /// Makes a layout.
    public init(indexShards: Int = 1, scheduleShards: Int = 4) {
        self.indexShards = indexShards
        self.scheduleShards = scheduleShards
    }

    /// Says which setting breaks a rule, in words, or nil.
    var violation: String? {
        for (name, count) in [("indexShards", self.indexShards), ("scheduleShards", self.scheduleShards)]
        where !(1...64).contains(count) { return "\(name) must be 1 to 64; it is \(count)" }
        return nil
    }
}
