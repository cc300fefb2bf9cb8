public import PerdureModel

/// Alarms for a table, as a CloudFormation template in JSON.
///
/// They ring when requests are throttled, on the table or on an index, and when the service fails. `UserErrors`, which is often
/// recommended, counts neither: it counts requests that are wrong, of the whole account.
public struct DynamoDBAlarms: Sendable, Hashable {
    /// The table's name.
    public var table: String
    /// The table's secondary indexes.
    public var indexes: [String]
    /// How many throttled requests in five minutes are too many; 10 unless set.
    public var threshold = 10

    /// Describes the alarms for a table; of a table of runs with its two indexes.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when no table can have the name.
    public init(table: String, for purpose: DynamoDBPolicy.Purpose) throws(StoreError) {
        if let violation = DynamoDBConfiguration(table: table).violation {
            throw StoreError(.misconfigured, operation: .setup, message: violation)
        }
        self.table = table
        self.indexes = purpose == .runs ? RunIndex.allCases.map(\.rawValue) : []
    }

    private static let operations = [
        "BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "TransactWriteItems",
        "UpdateItem",
    ]

    /// The template; its parameter `Topic` is the ARN of the SNS topic that is told.
    public var json: String { Self.template([self]) }

    /// One template with the alarms of several tables.
    package static func template(_ tables: [DynamoDBAlarms]) -> String {
        let alarms = tables.enumerated().flatMap { place, table in
            table.alarms(prefix: tables.count == 1 ? "" : "Table\(place + 1)")
        }
        let names = tables.map(\.table).joined(separator: " and ")
        return """
            {
              "AWSTemplateFormatVersion": "2010-09-09",
              "Description": "Alarms of the table\(tables.count == 1 ? "" : "s") \(names)",
              "Parameters": {
                "Topic": {
                  "Type": "String",
                  "Description": "The ARN of the SNS topic that is told"
                }
              },
              "Resources": {
            \(alarms.joined(separator: ",\n"))
              }
            }
            """
    }

    /// The alarms as resources, whose names begin with `prefix`.
    private func alarms(prefix: String) -> [String] {
        var alarms: [String] = []
        for operation in Self.operations {
            alarms.append(
                self.alarm(
                    "\(prefix)Throttled\(operation)", "ThrottledRequests", [("Operation", operation)],
                    above: self.threshold))
        }
        for operation in ["Query", "TransactWriteItems"] {
            alarms.append(
                self.alarm("\(prefix)Failed\(operation)", "SystemErrors", [("Operation", operation)], above: 0))
        }
        for index in self.indexes {
            let dimension = [("GlobalSecondaryIndexName", index)]
            for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] {
                alarms.append(self.alarm("\(prefix)\(index)\(metric)", metric, dimension, above: self.threshold))
            }
        }
        return alarms
    }

    private func alarm(
        _ name: String, _ metric: String, _ dimensions: [(name: String, value: String)], above threshold: Int
    ) -> String {
        let dimensions = ([("TableName", self.table)] + dimensions)
            .map { "          { \"Name\": \"\($0.0)\", \"Value\": \"\($0.1)\" }" }.joined(separator: ",\n")
        return """
                "\(name)": {
                  "Type": "AWS::CloudWatch::Alarm",
                  "Properties": {
                    "AlarmDescription": "\(metric) of the table \(self.table)",
                    "Namespace": "AWS/DynamoDB",
                    "MetricName": "\(metric)",
                    "Dimensions": [
            \(dimensions)
                    ],
                    "Statistic": "Sum",
                    "Period": 300,
                    "EvaluationPeriods": 1,
                    "Threshold": \(threshold),
                    "ComparisonOperator": "GreaterThanThreshold",
                    "TreatMissingData": "notBreaching",
                    "AlarmActions": [{ "Ref": "Topic" }]
                  }
                }
            """
    }
}
