internal import PerdureModel
internal import PerdureState

extension TableSession {
    /// Sees that the table has the key that this store needs.
    func checkTable() async throws(StoreError) {
        do throws(CallFailure) {
            try Self.check(try await self.describe(deadline: self.deadline(.connect)), named: self.table, .connect)
        } catch {
            // A policy that grants only what the store needs to work does not let it describe the table.
            if error.fault?.name == "AccessDeniedException" { return }
            throw error.storeError(.connect)
        }
    }

    func describe(deadline: Duration) async throws(CallFailure) -> TableDescription {
        try await self.client.perform(.describeTable(self.table), deadline: deadline)
    }

    /// Names what is wrong with a table's key.
    private static func check(
        _ table: TableDescription, named name: String, _ operation: StoreError.Operation
    ) throws(CallFailure) {
        let key = table.key.map { "\($0.name) (\($0.role) of type \($0.type ?? "?"))" }.joined(separator: ", ")
        let isRight =
            table.key.count == 1 && table.key[0].name == StateItem.id && table.key[0].role == "HASH"
            && (table.key[0].type ?? "S") == "S"
        guard isRight else {
            throw CallFailure(
                cause: .fault(
                    ServiceFault(
                        name: "ValidationException",
                        message:
                            "the key schema of the table \(name) is \(key); it must be PersistenceID (HASH of type S)",
                        status: 400)), mayHaveHappened: false)
        }
    }

    func setUp(_ setup: DynamoDBSetup) async throws(StoreError) {
        let deadline = self.deadline(.setup)
        do throws(CallFailure) {
            var table = try await self.makeTable(setup, deadline: deadline)
            try Self.check(table, named: self.table, .setup)
            table = try await self.waitUntilActive(table, deadline: deadline)
            try await self.enableExpiry(deadline: deadline)
            if !setup.tags.isEmpty { try await self.tag(table, setup.sortedTags, deadline: deadline) }
            if let isProtected = setup.isProtected {
                let changed = try await self.client.perform(
                    .updateTable(self.table, .protection(isProtected)), deadline: deadline)
                _ = try await self.waitUntilActive(changed, deadline: deadline)
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
    private func makeTable(_ setup: DynamoDBSetup, deadline: Duration) async throws(CallFailure) -> TableDescription {
        do throws(CallFailure) {
            return try await self.describe(deadline: deadline)
        } catch {
            guard error.fault?.name == "ResourceNotFoundException" else { throw error }
        }
        do throws(CallFailure) {
            return try await self.client.perform(.createTable(self.definition(setup)), deadline: deadline)
        } catch {
            // Somebody else was faster, or our own first attempt was.
            guard error.fault?.name == "ResourceInUseException" else { throw error }
            return try await self.describe(deadline: deadline)
        }
    }

    func definition(_ setup: DynamoDBSetup) -> TableDefinition {
        TableDefinition(
            name: self.table, key: .init(hash: .init(name: StateItem.id, type: "S")),
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

    /// Tombstones may expire; without that they stay for ever.
    private func enableExpiry(deadline: Duration) async throws(CallFailure) {
        let expiry = try await self.client.perform(.describeTimeToLive(self.table), deadline: deadline)
        if expiry.status.hasPrefix("ENABL") {
            if expiry.attribute == StateItem.expiry || self.configuration.tombstoneLifetime == nil { return }
            throw CallFailure(
                cause: .fault(
                    ServiceFault(
                        name: "ValidationException",
                        message: "items of the table \(self.table) expire by \(expiry.attribute ?? "?"),"
                            + " in whose key schema there is room for one such attribute; tombstones need \(StateItem.expiry)",
                        status: 400)), mayHaveHappened: false)
        }
        try await self.client.perform(
            .updateTimeToLive(self.table, attribute: StateItem.expiry, isEnabled: true), deadline: deadline)
    }
}
