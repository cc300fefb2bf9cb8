import PerdureModel
import Testing

@testable import PerdureDynamoDB

@Suite("Policies and alarms")
struct PolicyTests {
    @Test("grant what the store asks for, and no more")
    func policy() throws {
        var policy = try DynamoDBPolicy(
            for: .runs, table: "workflow_executions", region: "eu-central-1", account: "123456789012")
        #expect(!policy.actions.contains("dynamodb:Scan") && !policy.actions.contains("dynamodb:CreateTable"))
        #expect(
            policy.actions.contains("dynamodb:ConditionCheckItem") && policy.actions.contains("dynamodb:UpdateItem"))
        #expect(
            policy.json.contains("\"arn:aws:dynamodb:eu-central-1:123456789012:table/workflow_executions/index/*\""))
        policy.includesSetup = true
        #expect(policy.actions.contains("dynamodb:CreateTable"))
        policy.purpose = .states
        #expect(!policy.actions.contains("dynamodb:Query") && !policy.json.contains("index"))
    }

    @Test("refuse names that could be anything else")
    func refusals() {
        for (table, region, account) in [
            ("a\"b", "eu-central-1", "123456789012"), ("abc", "eu\"", "123456789012"), ("abc", "eu-central-1", "12"),
            ("abc", "eu-central-1", "12345678901x"),
        ] {
            #expect(throws: StoreError.self) {
                try DynamoDBPolicy(for: .runs, table: table, region: region, account: account)
            }
        }
        #expect(throws: StoreError.self) { try DynamoDBAlarms(table: "a b", for: .runs) }
    }

    @Test("ring on throttled requests")
    func alarms() throws {
        let runs = try DynamoDBAlarms(table: "workflow_executions", for: .runs).json
        #expect(runs.contains("ThrottledRequests") && runs.contains("GSI2") && !runs.contains("UserErrors"))
        #expect(try !DynamoDBAlarms(table: "states_store", for: .states).json.contains("GSI"))
    }
}

@Suite("Runs as the environment describes them")
struct RunEnvironmentTests {
    @Test("are in the table that it names, or in the usual one")
    func table() {
        let named = AWSEnvironment(
            variable: { $0 == "AWS_DYNAMODB_TABLE_NAME" ? "my_workflows" : nil }, file: { _ in nil })
        #expect(DynamoDBConfiguration.runs(in: named).table == "my_workflows")
        let silent = AWSEnvironment(variable: { _ in nil }, file: { _ in nil })
        #expect(DynamoDBConfiguration.runs(in: silent).table == "workflow_executions")
    }
}
