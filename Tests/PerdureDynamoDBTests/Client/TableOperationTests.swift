import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import Testing

@testable import PerdureDynamoDB

/// What DynamoDB Local does not do, byte by byte as the API's reference has it.
@Suite struct TableOperationTests {
    typealias Change = TableChange

    private static let index = TableDefinition.Index(
        name: "GSI1", key: .init(hash: .init(name: "GSI1PK", type: "S"), range: .init(name: "GSI1SK", type: "S")))

    private static func body<Answer>(_ operation: PerdureDynamoDB.Operation<Answer>) -> String {
        String(decoding: operation.body.bytes, as: UTF8.self)
    }

    @Test(
        arguments: [
            (.protection(true), #""DeletionProtectionEnabled":true"#),
            (.protection(false), #""DeletionProtectionEnabled":false"#),
            (.billing(nil), #""BillingMode":"PAY_PER_REQUEST""#),
            (
                .billing(.init(reads: 5, writes: 6)),
                #""BillingMode":"PROVISIONED","ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":6}"#
            ),
            (
                .addIndex(Self.index),
                #""AttributeDefinitions":[{"AttributeName":"GSI1PK","AttributeType":"S"},{"AttributeName":"GSI1SK","AttributeType":"S"}],"#
                    + #""GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"GSI1","KeySchema":[{"AttributeName":"GSI1PK","KeyType":"HASH"},"#
                    + #"{"AttributeName":"GSI1SK","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}}]"#
            ),
            (.removeIndex("GSI1"), #""GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"GSI1"}}]"#),
            (
                .stream(true),
                #""StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}"#
            ),
            (.stream(false), #""StreamSpecification":{"StreamEnabled":false}"#),
            (.addReplica(region: "eu-west-1"), #""ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}}]"#),
            (.removeReplica(region: "eu-west-1"), #""ReplicaUpdates":[{"Delete":{"RegionName":"eu-west-1"}}]"#),
        ] as [(Change, String)])
    func writesAChange(_ change: Change, _ expected: String) {
        let operation = PerdureDynamoDB.Operation.updateTable("t", change)
        #expect("\(operation.name)" == "UpdateTable")
        #expect(Self.body(operation) == #"{"TableName":"t",\#(expected)}"#)
    }

    @Test func writesWhatElseASetUpNeeds() {
        typealias Request = PerdureDynamoDB.Operation
        let void: [(Request<Void>, String, String)] = [
            (
                .updateContinuousBackups("t", isEnabled: true), "UpdateContinuousBackups",
                #"{"TableName":"t","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}"#
            ),
            (
                .tagResource("arn:a", tags: [(key: "k\"", value: "v")]), "TagResource",
                #"{"ResourceArn":"arn:a","Tags":[{"Key":"k\"","Value":"v"}]}"#
            ),
            (
                .updateTimeToLive("t", attribute: "ttl", isEnabled: true), "UpdateTimeToLive",
                #"{"TableName":"t","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}}"#
            ),
        ]
        for (operation, name, expected) in void {
            #expect("\(operation.name)" == name && Self.body(operation) == expected)
        }
        let backup = Request.createBackup("t", name: "nightly")
        #expect("\(backup.name)" == "CreateBackup" && !backup.isRepeatable)
        #expect(Self.body(backup) == #"{"TableName":"t","BackupName":"nightly"}"#)
        let backups = Request.describeContinuousBackups("t")
        #expect("\(backups.name)" == "DescribeContinuousBackups" && Self.body(backups) == #"{"TableName":"t"}"#)
        let expiry = Request.describeTimeToLive("t")
        #expect("\(expiry.name)" == "DescribeTimeToLive" && Self.body(expiry) == #"{"TableName":"t"}"#)
    }

    @Test func readsAnswers() async throws {
        let answers = [
            "UpdateTable":
                #"{"TableDescription":{"TableStatus":"UPDATING","TableArn":"arn:t","DeletionProtectionEnabled":true,"#
                + #""GlobalSecondaryIndexes":[{"IndexName":"GSI1","IndexStatus":"CREATING"}],"#
                + #""Replicas":[{"RegionName":"eu-west-1","ReplicaStatus":"CREATING"},{"RegionName":"eu-west-2","ReplicaStatus":"ACTIVE"}]}}"#,
            "CreateBackup":
                #"{"BackupDetails":{"BackupArn":"arn:b","BackupName":"nightly","BackupStatus":"CREATING"}}"#,
            "DescribeContinuousBackups":
                #"{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","#
                + #""PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"DISABLED"}}}"#,
            "DescribeTimeToLive":
                #"{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLING","AttributeName":"ttl"}}"#,
            "UpdateContinuousBackups": #"{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED"}}"#,
            "TagResource": "{}",
        ]
        let peer = try ScriptedPeer { .answer(200, answers[$0.operation] ?? "none") }
        defer { peer.stop() }
        try await RawClient.with(endpoint: peer.url) { client in
            let table = try await client.perform(.updateTable("t", .addReplica(region: "eu-west-1")))
            #expect(table.status == "UPDATING" && table.isProtected && table.indexes == ["GSI1": "CREATING"])
            #expect(table.replicas == ["eu-west-1": "CREATING", "eu-west-2": "ACTIVE"])
            #expect(try await client.perform(.createBackup("t", name: "nightly")) == "arn:b")
            #expect(try await client.perform(.describeContinuousBackups("t")) == false)
            #expect(
                try await client.perform(.describeTimeToLive("t"))
                    == TimeToLive(status: "ENABLING", attribute: "ttl"))
            try await client.perform(.updateContinuousBackups("t", isEnabled: true))
            try await client.perform(.tagResource("arn:t", tags: [(key: "a", value: "b")]))
        }
    }

    /// The whole set-up against a service that takes its time: asks for everything once, and waits where it must.
    @Test func setsUpStepByStep() async throws {
        let clock = ManualClock()
        let isMade = LockedState(false)
        func table(_ status: String) -> String {
            #"{"TableStatus":"\#(status)","TableArn":"arn:t","KeySchema":[{"AttributeName":"PersistenceID","KeyType":"HASH"}]}"#
        }
        let (active, creating, updating) = (table("ACTIVE"), table("CREATING"), table("UPDATING"))
        let described = LockedState([creating, active, updating, active])
        let unavailable = LockedState(2)
        let script: ScriptedPeer.Script = { request in
            switch request.operation {
            case "DescribeTable":
                guard isMade.withLock({ $0 }) else {
                    return .answer(400, ScriptedFaultTests.answer("ResourceNotFoundException"))
                }
                let table = described.withLock { $0.isEmpty ? active : $0.removeFirst() }
                return .answer(200, #"{"Table":\#(table)}"#)
            case "CreateTable":
                isMade.withLock { $0 = true }
                return .answer(200, #"{"TableDescription":\#(creating)}"#)
            case "UpdateTable": return .answer(200, #"{"TableDescription":\#(updating)}"#)
            case "DescribeTimeToLive":
                return .answer(200, #"{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}"#)
            case "UpdateContinuousBackups":
                let isTooEarly = unavailable.withLock { left in
                    left -= 1
                    return left >= 0
                }
                return isTooEarly
                    ? .answer(400, ScriptedFaultTests.answer("ContinuousBackupsUnavailableException"))
                    : .answer(200, "{}")
            default: return .answer(200, "{}")
            }
        }
        try await ScriptedFaultTests.with(clock: clock, script: script) { store, peer in
            var setup = DynamoDBSetup()
            setup.tags = ["b": "2", "a": "1"]
            setup.isProtected = true
            setup.hasPointInTimeRecovery = true
            setup.provisionedCapacity = .init(reads: 3, writes: 4)
            let (order, isDone) = (setup, LockedState(false))
            let task = Task {
                defer { isDone.withLock { $0 = true } }
                try await store.setup(order)
            }
            while !isDone.withLock({ $0 }) {
                if clock.advanceToNextSleeper() == nil { await Task.yield() }
            }
            try await task.value
            #expect(
                peer.requests.map(\.operation) == [
                    "DescribeTable", "CreateTable", "DescribeTable", "DescribeTable", "DescribeTimeToLive",
                    "UpdateTimeToLive", "TagResource", "UpdateTable", "DescribeTable", "DescribeTable",
                    "UpdateContinuousBackups", "UpdateContinuousBackups", "UpdateContinuousBackups",
                ])
            #expect(
                peer.requests[1].text
                    == #"{"TableName":"table","AttributeDefinitions":[{"AttributeName":"PersistenceID","AttributeType":"S"}],"#
                    + #""KeySchema":[{"AttributeName":"PersistenceID","KeyType":"HASH"}],"BillingMode":"PROVISIONED","#
                    + #""ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":4},"#
                    + #""Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]}"#)
            #expect(peer.requests[6].text.hasPrefix(#"{"ResourceArn":"arn:t","Tags":["#))
        }
    }
}
