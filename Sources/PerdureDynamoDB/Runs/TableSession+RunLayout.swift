internal import PerdureModel

/// The item in which a table of runs says how it is laid out, so that all processes agree.
extension TableSession {
    /// The layout of the table; the usual where nothing says otherwise.
    func runLayout(_ operation: StoreError.Operation) async throws(StoreError) -> DynamoDBRunLayout {
        let item = try await self.perform(
            .getItem(
                table: self.table, key: RunMarkerKey.layout, isConsistent: true, reportsCapacity: self.reportsCapacity),
            operation, deadline: self.deadline(operation))
        guard let item else { return DynamoDBRunLayout() }
        let layout = DynamoDBRunLayout(
            indexShards: Int(item.integer("index_shards") ?? 0),
            scheduleShards: Int(item.integer("schedule_shards") ?? 0))
        if let violation = layout.violation {
            throw StoreError(
                .corrupted, operation: operation, message: "the table's own description cannot be used: \(violation)")
        }
        return layout
    }

    /// Writes the layout of a new table; one that has its own keeps it.
    func writeRunLayout(_ layout: DynamoDBRunLayout?) async throws(StoreError) {
        let wanted = layout ?? DynamoDBRunLayout()
        do throws(CallFailure) {
            try await self.client.perform(self.layoutRequest(wanted), deadline: self.deadline(.setup))
        } catch {
            guard error.fault?.isFailedCondition == true else { throw error.storeError(.setup) }
            let found = try await self.runLayout(.setup)
            guard let layout, found != layout else { return }
            throw StoreError(
                .misconfigured, operation: .setup,
                message: "the table has \(found.indexShards) index shards and \(found.scheduleShards) schedule shards,"
                    + " which cannot be changed; ask for these, or make another table")
        }
    }

    /// The request that writes a layout where there is none.
    func layoutRequest(_ layout: DynamoDBRunLayout) -> Operation<Void> {
        var item = RunMarkerKey.layout
        item.append("index_shards", .number(layout.indexShards))
        item.append("schedule_shards", .number(layout.scheduleShards))
        var isAbsent = Expression()
        isAbsent.condition = "attribute_not_exists(\(RunAttribute.partition))"
        return .putItem(table: self.table, item: item, isAbsent, isRepeatable: true, reportsCapacity: false)
    }
}
