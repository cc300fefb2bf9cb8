public import PerdureModel

/// The rights that a store needs, as an IAM policy in JSON: these, and nothing else.
public struct DynamoDBPolicy: Sendable, Hashable {
    /// What the table is for.
    public enum Purpose: Sendable, Hashable, CaseIterable {
        /// States of entities: ``DynamoDBStore``.
        case states
        /// Runs of workflows: ``DynamoDBRunStore``.
        case runs
    }

    /// What the table is for.
    public var purpose: Purpose
    /// The table's name.
    public var table: String
    /// The table's region, such as `eu-central-1`.
    public var region: String
    /// The number of the account that owns the table, of twelve digits.
    public var account: String
    /// Whether to list what is in a table of states, which takes the right to scan it. Runs are never scanned.
    public var includesListing = false
    /// Whether to make and to change the table as well.
    public var includesSetup = false

    /// Describes who is to do what with which table.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when a name cannot be that of a table, a region or an account.
    public init(for purpose: Purpose, table: String, region: String, account: String) throws(StoreError) {
        if let violation = DynamoDBConfiguration(table: table, region: region).violation {
            throw StoreError(.misconfigured, operation: .setup, message: violation)
        }
        guard account.utf8.count == 12, account.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw StoreError(
                .misconfigured, operation: .setup,
                message: "an account's number has 12 digits; this is \(account.debugDescription)")
        }
        self.purpose = purpose
        self.table = table
        self.region = region
        self.account = account
    }

    /// Describes who is to use the table of a configuration, in any account unless one is named.
    package init(
        for purpose: Purpose, _ configuration: DynamoDBConfiguration, account: String?
    ) throws(StoreError) {
        try self.init(
            for: purpose, table: configuration.table, region: configuration.region ?? "us-east-1",
            account: account ?? "000000000000")
        if configuration.region == nil { self.region = "*" }
        if account == nil { self.account = "*" }
    }

    /// The actions on the table, in the order of their names.
    public var actions: [String] {
        var names = ["BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem"]
        switch self.purpose {
        case .states: if self.includesListing { names.append("Scan") }
        case .runs: names += ["Query", "UpdateItem"]
        }
        if self.includesSetup {
            names += [
                "CreateTable", "DescribeTable", "DescribeTimeToLive", "TagResource", "UpdateContinuousBackups",
                "UpdateTable", "UpdateTimeToLive",
            ]
        }
        return names.sorted().map { "dynamodb:\($0)" }
    }

    /// The policy as JSON.
    public var json: String { Self.document([self]) }

    /// One policy that grants what all of them grant.
    package static func document(_ policies: [DynamoDBPolicy]) -> String {
        """
        {
          "Version": "2012-10-17",
          "Statement": [
        \(policies.flatMap(\.statements).joined(separator: ",\n"))
          ]
        }
        """
    }

    private var statements: [String] {
        let table = "arn:aws:dynamodb:\(self.region):\(self.account):table/\(self.table)"
        switch self.purpose {
        case .states: return [Self.statement("UseStates", self.actions, table)]
        case .runs:
            return [
                Self.statement("UseRuns", self.actions, table),
                Self.statement("QueryIndexesOfRuns", ["dynamodb:Query"], "\(table)/index/*"),
            ]
        }
    }

    private static func statement(_ name: String, _ actions: [String], _ resource: String) -> String {
        let actions = actions.map { "        \"\($0)\"" }.joined(separator: ",\n")
        return """
                {
                  "Sid": "\(name)",
                  "Effect": "Allow",
                  "Action": [
            \(actions)
                  ],
                  "Resource": "\(resource)"
                }
            """
    }
}
