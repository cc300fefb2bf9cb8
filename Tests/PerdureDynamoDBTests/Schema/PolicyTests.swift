import FoundationEssentials
import PerdureModel
import Processes
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

    @Test("grant what several policies grant, each on its table")
    func document() throws {
        let configuration = DynamoDBConfiguration(table: "bank")
        let text = DynamoDBPolicy.document([
            try DynamoDBPolicy(for: .states, configuration, account: nil),
            try DynamoDBPolicy(for: .runs, table: "bank-runs", region: "eu-central-1", account: "123456789012"),
        ])
        let policy = try JSONDecoder().decode(Document.self, from: Data(text.utf8))
        #expect(policy.Statement.map(\.Sid) == ["UseStates", "UseRuns", "QueryIndexesOfRuns"])
        #expect(policy.Statement[0].Resource == "arn:aws:dynamodb:*:*:table/bank")
        #expect(policy.Statement[1].Resource == "arn:aws:dynamodb:eu-central-1:123456789012:table/bank-runs")
        #expect(policy.Statement[2].Action == ["dynamodb:Query"])
    }

    private struct Document: Decodable {
        struct Part: Decodable {
            var Sid: String
            var Action: [String]
            var Resource: String
        }
        var Statement: [Part]
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

@Suite("Alarms, judged by AWS's own linter", .enabled(if: Interop.linter != nil, "cfn-lint cannot be had"))
struct AlarmLintTests {
    @Test("are a template that CloudFormation takes")
    func lint() throws {
        let tables = [
            try DynamoDBAlarms(table: "bank", for: .states), try DynamoDBAlarms(table: "bank-runs", for: .runs),
        ]
        let template = DynamoDBAlarms.template(tables)
        #expect(try Self.judge(template) == 0)
        // It would say so.
        #expect(try Self.judge(template.replacing("EvaluationPeriods", with: "EvaluationPeriod")) != 0)
    }

    private static func judge(_ template: String) throws -> CInt {
        let linter = try #require(Interop.linter)
        let file = FileManager.default.temporaryDirectory.appending(path: "perdure-alarms-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(template.utf8).write(to: file)
        return Shell.runHere("\(linter) --region eu-central-1 -- '\(file.path)' 2>&1").status
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
