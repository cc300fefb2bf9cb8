extension DynamoDBConfiguration {
    /// The configuration of a table of runs that the environment describes.
    ///
    /// The table is `AWS_DYNAMODB_TABLE_NAME`'s, `workflow_executions` where that is not set; the region is found as always, in
    /// `AWS_REGION` first.
    public static func runsOfEnvironment() -> DynamoDBConfiguration { self.runs(in: .process) }

    static func runs(in environment: AWSEnvironment) -> DynamoDBConfiguration {
        DynamoDBConfiguration(table: environment.value("AWS_DYNAMODB_TABLE_NAME") ?? "workflow_executions")
    }
}
