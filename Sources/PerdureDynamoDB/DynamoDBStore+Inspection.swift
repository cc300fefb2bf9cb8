package import PerdureState

extension DynamoDBStore: StoreInspection {
    /// An IAM policy for a program that uses a table that is set up, its indexes included.
    package var policy: String? {
        let region = self.configuration.region ?? "*"
        let table = "arn:aws:dynamodb:\(region):*:table/\(self.configuration.table)"
        let actions = [
            "BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "DescribeTable", "GetItem", "PutItem",
            "Query", "Scan", "UpdateItem",
        ].map { "                \"dynamodb:\($0)\"" }
        return """
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": [
            \(actions.map { "    " + $0 }.joined(separator: ",\n"))
                        ],
                        "Resource": ["\(table)", "\(table)/index/*"]
                    }
                ]
            }
            """
    }

    package func setupSteps() async throws(StoreError) -> [String] {
        let session = try await self.opener.enter(.setup, reopens: true)
        defer { session.leave() }
        return try await session.setupSteps()
    }

    package func inspect() async throws(StoreError) -> [StoreFinding] {
        let session = try await self.opener.enter(.connect, reopens: true)
        defer { session.leave() }
        return try await session.inspect()
    }
}

extension TableSession {
    /// The requests of a setup, with their bodies.
    func setupSteps() async throws(StoreError) -> [String] {
        let deadline = self.deadline(.setup)
        var steps: [String] = []
        func add<Answer>(_ operation: Operation<Answer>) {
            steps.append("\(operation.name) \(String(decoding: operation.body.bytes, as: UTF8.self))")
        }
        do throws(CallFailure) {
            do throws(CallFailure) { _ = try await self.describe(deadline: deadline) } catch {
                guard error.fault?.name == "ResourceNotFoundException" else { throw error }
                add(.createTable(self.definition(DynamoDBSetup(), .states)))
                add(.updateTimeToLive(self.table, attribute: StateItem.expiry, isEnabled: true))
                return steps
            }
            let expiry = try await self.client.perform(.describeTimeToLive(self.table), deadline: deadline)
            if !expiry.status.hasPrefix("ENABL") {
                add(.updateTimeToLive(self.table, attribute: StateItem.expiry, isEnabled: true))
            }
            return steps
        } catch {
            throw error.storeError(.setup)
        }
    }

    func inspect() async throws(StoreError) -> [StoreFinding] {
        let deadline = self.deadline(.connect)
        var findings: [StoreFinding] = []
        let table: TableDescription
        do throws(CallFailure) { table = try await self.describe(deadline: deadline) } catch {
            switch error.fault?.name {
            case "ResourceNotFoundException":
                return [.init(.trouble, "table", "there is no table \(self.table); `store setup` makes it")]
            case "AccessDeniedException":
                return [
                    .init(.advice, "rights", "the credentials may not describe the table: nothing more can be told")
                ]
            default: throw error.storeError(.connect)
            }
        }
        let key = table.key.map { "\($0.name) (\($0.role) of type \($0.type ?? "?"))" }.joined(separator: ", ")
        let isOurs = table.key.count == 1 && table.key[0].name == StateItem.id
        findings.append(
            .init(
                isOurs ? .good : .trouble, "table",
                "\(self.table) is \(table.status), with the key \(key)\(isOurs ? "" : "; it must be \(StateItem.id) alone")"
            ))
        findings.append(.init(.good, "clock", "near enough to the service's: it takes our signatures"))
        findings.append(.init(.good, "billing", table.billingMode))
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
        findings.append(await self.expiry(deadline: deadline))
        if let recovers = try? await self.client.perform(.describeContinuousBackups(self.table), deadline: deadline) {
            findings.append(
                recovers
                    ? .init(.good, "recovery", "to any moment of the last 35 days")
                    : .init(.advice, "recovery", "point-in-time recovery is off"))
        }
        var expression = Expression()
        expression.filter = "attribute_not_exists(ItemKind)"
        expression.projection = StateItem.writeID
        let page = try await self.perform(
            .scan(table: self.table, expression, limit: 1_000, isConsistent: false), .list, deadline: deadline)
        findings.append(.foreignRows(page.items.count { $0[StateItem.writeID] == nil }, of: page.items.count))
        return findings
    }

    private func expiry(deadline: Duration) async -> StoreFinding {
        do throws(CallFailure) {
            let expiry = try await self.client.perform(.describeTimeToLive(self.table), deadline: deadline)
            guard expiry.status.hasPrefix("ENABL") else {
                return .init(
                    .advice, "TTL", "is off: what is left of deleted states stays for ever; `store setup` turns it on")
            }
            guard expiry.attribute == StateItem.expiry else {
                return .init(.trouble, "TTL", "is by \(expiry.attribute ?? "?"), and ours is \(StateItem.expiry)")
            }
            return .init(.good, "TTL", "by \(StateItem.expiry)")
        } catch {
            return .init(.advice, "TTL", "it cannot be told whether items expire: \(error.fault?.name ?? "no answer")")
        }
    }
}
