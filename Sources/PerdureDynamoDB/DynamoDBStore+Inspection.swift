package import PerdureState

extension DynamoDBStore: StoreInspection {
    package func setupSteps() async throws(StoreError) -> [String] {
        let session = try await self.opener.enter(.setup, reopens: true)
        defer { session.leave() }
        return try await session.setupSteps(.states)
    }

    package func inspect() async throws(StoreError) -> [StoreFinding] {
        let session = try await self.opener.enter(.connect, reopens: true)
        defer { session.leave() }
        return try await session.inspect(.states)
    }

    /// Removes the table, which was made for a while.
    package func deleteTable() async throws(StoreError) {
        let session = try await self.opener.enter(.setup, reopens: true)
        defer { session.leave() }
        try await session.deleteTable()
    }
}

extension DynamoDBRunStore: StoreInspection {
    package func setupSteps() async throws(StoreError) -> [String] {
        let session = try await self.opener.enter(.setup, reopens: true)
        defer { session.leave() }
        return try await session.setupSteps(.runs)
    }

    package func inspect() async throws(StoreError) -> [StoreFinding] {
        let session = try await self.opener.enter(.connect, reopens: true)
        defer { session.leave() }
        return try await session.inspect(.runs).map { .init($0.verdict, "runs: \($0.subject)", $0.text) }
    }

    /// Removes the table, which was made for a while.
    package func deleteTable() async throws(StoreError) {
        let session = try await self.opener.enter(.setup, reopens: true)
        defer { session.leave() }
        try await session.deleteTable()
    }
}

extension TableSession {
    /// The requests of a setup, with their bodies.
    func setupSteps(_ shape: TableShape) async throws(StoreError) -> [String] {
        let deadline = self.deadline(.setup)
        var steps: [String] = []
        func add<Answer>(_ operation: Operation<Answer>) {
            steps.append("\(operation.name) \(String(decoding: operation.body.bytes, as: UTF8.self))")
        }
        do throws(CallFailure) {
            do throws(CallFailure) { _ = try await self.describe(deadline: deadline) } catch {
                guard error.fault?.name == "ResourceNotFoundException" else { throw error }
                add(.createTable(self.definition(DynamoDBSetup(), shape)))
                add(.updateTimeToLive(self.table, attribute: shape.expiry, isEnabled: true))
                if shape.keepsRuns { add(self.layoutRequest(DynamoDBRunLayout())) }
                return steps
            }
            let expiry = try await self.client.perform(.describeTimeToLive(self.table), deadline: deadline)
            if !expiry.status.hasPrefix("ENABL") {
                add(.updateTimeToLive(self.table, attribute: shape.expiry, isEnabled: true))
            }
            if shape.keepsRuns { add(self.layoutRequest(DynamoDBRunLayout())) }
            return steps
        } catch {
            throw error.storeError(.setup)
        }
    }

    /// Removes the table, if it is there.
    fileprivate func deleteTable() async throws(StoreError) {
        do throws(CallFailure) {
            _ = try await self.client.perform(.deleteTable(self.table), deadline: self.deadline(.setup))
        } catch {
            if error.fault?.name == "ResourceNotFoundException" { return }
            throw error.storeError(.setup)
        }
    }

    /// How the table is; one of runs that is missing troubles nobody who has only entities.
    func inspect(_ shape: TableShape) async throws(StoreError) -> [StoreFinding] {
        let deadline = self.deadline(.connect)
        var findings: [StoreFinding] = []
        let table: TableDescription
        do throws(CallFailure) { table = try await self.describe(deadline: deadline) } catch {
            switch error.fault?.name {
            case "ResourceNotFoundException":
                let what = shape.keepsRuns ? ", so no workflow can run" : ""
                return [
                    .init(
                        shape.keepsRuns ? .advice : .trouble, "table",
                        "there is no table \(self.table)\(what); `store setup` makes it")
                ]
            case "AccessDeniedException":
                return [
                    .init(.advice, "rights", "the credentials may not describe the table: nothing more can be told")
                ]
            default: throw error.storeError(.connect)
            }
        }
        let key = table.key.map { "\($0.name) (\($0.role) of type \($0.type ?? "?"))" }.joined(separator: ", ")
        let isOurs = shape.hasKey(of: table)
        findings.append(
            .init(
                isOurs ? .good : .trouble, "table",
                "\(self.table) is \(table.status), with the key \(key)\(isOurs ? "" : "; it must be \(shape.keyWords)")"
            ))
        if !shape.keepsRuns {
            findings.append(.init(.good, "clock", "near enough to the service's: it takes our signatures"))
        }
        findings.append(.init(.good, "billing", table.billingMode))
        for index in shape.indexes where table.indexes[index.name] == nil {
            findings.append(
                .init(
                    .trouble, "index",
                    "\(index.name) of \(self.table) is missing; add it with `aws dynamodb update-table`, as `store setup --dry-run` on an empty table has it"
                ))
        }
        for (index, status) in table.indexes.sorted(by: { $0.key < $1.key }) {
            findings.append(.init(status == "ACTIVE" ? .good : .advice, "index", "\(index) is \(status)"))
        }
        for (region, status) in table.replicas.sorted(by: { $0.key < $1.key }) {
            findings.append(.init(status == "ACTIVE" ? .good : .advice, "replica", "\(region) is \(status)"))
        }
        findings.append(
            table.isProtected
                ? .init(.good, "protection", "the table cannot be deleted by accident")
                : .init(.advice, "protection", "the table can be deleted by accident; turn deletion protection on"))
        findings.append(await self.expiry(shape, deadline: deadline))
        if let recovers = try? await self.client.perform(.describeContinuousBackups(self.table), deadline: deadline) {
            findings.append(
                recovers
                    ? .init(.good, "recovery", "to any moment of the last 35 days")
                    : .init(.advice, "recovery", "point-in-time recovery is off"))
        }
        if !shape.keepsRuns, isOurs { findings.append(try await self.rowsOfOthers(deadline: deadline)) }
        return findings
    }

    private func rowsOfOthers(deadline: Duration) async throws(StoreError) -> StoreFinding {
        var expression = Expression()
        expression.filter = "attribute_not_exists(ItemKind)"
        expression.projection = StateItem.writeID
        let page = try await self.perform(
            .scan(table: self.table, expression, limit: 1_000, isConsistent: false), .list, deadline: deadline)
        return .foreignRows(page.items.count { $0[StateItem.writeID] == nil }, of: page.items.count)
    }

    private func expiry(_ shape: TableShape, deadline: Duration) async -> StoreFinding {
        do throws(CallFailure) {
            let expiry = try await self.client.perform(.describeTimeToLive(self.table), deadline: deadline)
            guard expiry.status.hasPrefix("ENABL") else {
                let kept =
                    shape.keepsRuns
                    ? "ended runs are removed by workers only" : "what is left of deleted states stays for ever"
                return .init(.advice, "TTL", "is off: \(kept); `store setup` turns it on")
            }
            guard expiry.attribute == shape.expiry else {
                return .init(.trouble, "TTL", "is by \(expiry.attribute ?? "?"), and ours is \(shape.expiry)")
            }
            return .init(.good, "TTL", "by \(shape.expiry)")
        } catch {
            return .init(.advice, "TTL", "it cannot be told whether items expire: \(error.fault?.name ?? "no answer")")
        }
    }
}
