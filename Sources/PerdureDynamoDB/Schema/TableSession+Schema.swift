internal import PerdureModel
internal import PerdureState

extension TableSession {
    /// Sees that the table has the key, and the indexes, that a store needs.
    func checkTable(_ shape: TableShape) async throws(StoreError) {
        do throws(CallFailure) {
            try shape.check(try await self.describe(deadline: self.deadline(.connect)), named: self.table)
        } catch {
            // A policy that grants only what the store needs to work does not let it describe the table.
            if error.fault?.name == "AccessDeniedException" { return }
            throw error.storeError(.connect)
        }
    }

    func describe(deadline: Duration) async throws(CallFailure) -> TableDescription {
        try await self.client.perform(.describeTable(self.table), deadline: deadline)
    }

    func setUp(_ setup: DynamoDBSetup, _ shape: TableShape) async throws(StoreError) {
        let deadline = self.deadline(.setup)
        do throws(CallFailure) {
            var table = try await self.makeTable(setup, shape, deadline: deadline)
            try shape.check(table, named: self.table)
            table = try await self.waitUntilActive(table, deadline: deadline)
            if setup.expiresItems { try await self.enableExpiry(shape, deadline: deadline) }
            if !setup.tags.isEmpty { try await self.tag(table, setup.sortedTags, deadline: deadline) }
            if let isProtected = setup.isProtected, isProtected != table.isProtected {
                try await self.protect(isProtected, deadline: deadline)
            }
            if let recovers = setup.hasPointInTimeRecovery {
                try await self.client.perform(
                    .updateContinuousBackups(self.table, isEnabled: recovers), deadline: deadline)
            }
        } catch {
            throw error.storeError(.setup)
        }
    }

    /// The table, made if it was missing.
    private func makeTable(
        _ setup: DynamoDBSetup, _ shape: TableShape, deadline: Duration
    ) async throws(CallFailure) -> TableDescription {
        do throws(CallFailure) {
            return try await self.describe(deadline: deadline)
        } catch {
            guard error.fault?.name == "ResourceNotFoundException" else { throw error }
        }
        do throws(CallFailure) {
            return try await self.client.perform(.createTable(self.definition(setup, shape)), deadline: deadline)
        } catch {
            // Somebody else was faster, or our own first attempt was.
            guard error.fault?.name == "ResourceInUseException" else { throw error }
            return try await self.describe(deadline: deadline)
        }
    }

    func definition(_ setup: DynamoDBSetup, _ shape: TableShape) -> TableDefinition {
        TableDefinition(
            name: self.table, key: shape.key, indexes: shape.indexes,
            provisioned: setup.provisionedCapacity.map { .init(reads: $0.reads, writes: $0.writes) },
            tags: setup.sortedTags)
    }

    private func tag(
        _ table: TableDescription, _ tags: [(key: String, value: String)], deadline: Duration
    ) async throws(CallFailure) {
        do throws(CallFailure) {
            try await self.client.perform(.tagResource(table.arn, tags: tags), deadline: deadline)
        } catch {
            // DynamoDB Local takes tags of new tables only. Nothing depends on them.
            guard error.fault?.name == "UnknownOperationException" else { throw error }
        }
    }

    private func waitUntilActive(
        _ first: TableDescription, deadline: Duration
    ) async throws(CallFailure) -> TableDescription {
        var table = first
        while table.status != "ACTIVE" {
            guard await self.client.wait(.milliseconds(500), deadline: deadline) else {
                throw CallFailure(
                    cause: .transport(
                        HTTPFailure(
                            reason: .timeout, mayHaveArrived: false,
                            description: "the table \(self.table) is still \(table.status)")), mayHaveHappened: false)
            }
            table = try await self.describe(deadline: deadline)
        }
        return table
    }

    private func protect(_ isProtected: Bool, deadline: Duration) async throws(CallFailure) {
        do throws(CallFailure) {
            let table = try await self.client.perform(
                .updateTable(self.table, .protection(isProtected)), deadline: deadline)
            _ = try await self.waitUntilActive(table, deadline: deadline)
        } catch {
            // A table that is being changed takes no other change: it may be ours, whose answer was lost.
            guard error.fault != nil else { throw error }
            let table = try await self.waitUntilActive(try await self.describe(deadline: deadline), deadline: deadline)
            guard table.isProtected == isProtected else { throw error }
        }
    }

    /// What has an expiry is taken away by DynamoDB; without that it stays until somebody removes it.
    private func enableExpiry(_ shape: TableShape, deadline: Duration) async throws(CallFailure) {
        if try await self.expires(shape, deadline: deadline) { return }
        do throws(CallFailure) {
            try await self.client.perform(
                .updateTimeToLive(self.table, attribute: shape.expiry, isEnabled: true), deadline: deadline)
        } catch {
            // What is enabled cannot be enabled again: somebody else was faster, or our own first attempt was.
            guard error.fault != nil, try await self.expires(shape, deadline: deadline) else { throw error }
        }
    }

    /// Whether items expire, or are about to; by another attribute than a store needs is refused.
    private func expires(_ shape: TableShape, deadline: Duration) async throws(CallFailure) -> Bool {
        let expiry = try await self.client.perform(.describeTimeToLive(self.table), deadline: deadline)
        guard expiry.status.hasPrefix("ENABL") else { return false }
        if expiry.attribute == shape.expiry || shape.isExpiryOptional(self.configuration) { return true }
        throw shape.flaw(
            "items of the table \(self.table) expire by \(expiry.attribute ?? "?"),"
                + " in whose key schema there is room for one such attribute; this store needs \(shape.expiry)")
    }
}
