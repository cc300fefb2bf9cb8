internal import PerdureCassandra
internal import PerdureDynamoDB
internal import PerdurePostgres
package import PerdureState

extension ChosenStore {
    /// Which rights are asked for; the others are needed in any case.
    package struct Rights: Sendable, Hashable {
        /// The number of the account that owns the tables; nil for any.
        package var account: String?
        /// Whether to list states.
        package var includesListing = false
        /// Whether to make and change tables.
        package var includesSetup = false

        package init() {}
    }

    /// The smallest rights with which a program can use tables that are set up, as the database's own words; nil where it has none.
    ///
    /// What is asked for on top counts on DynamoDB; in the other databases listing is reading, and whoever owns tables changes them.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` for an account that is none.
    package func policy(_ rights: Rights = Rights()) throws(StoreError) -> String? {
        switch self.states {
        case let store as PostgresStore: return store.grants
        case let store as CassandraStore: return store.grants
        case let store as DynamoDBStore:
            var states = try DynamoDBPolicy(for: .states, store.configuration, account: rights.account)
            states.includesListing = rights.includesListing
            states.includesSetup = rights.includesSetup
            guard let configuration = (self.runs as? DynamoDBRunStore)?.configuration else { return states.json }
            var runs = try DynamoDBPolicy(for: .runs, configuration, account: rights.account)
            runs.includesSetup = rights.includesSetup
            return DynamoDBPolicy.document([states, runs])
        default: return nil
        }
    }

    /// Alarms for the tables, as a CloudFormation template; nil where the database has others means.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when no table can have the name.
    package func alarms() throws(StoreError) -> String? {
        guard let store = self.states as? DynamoDBStore else { return nil }
        var tables = [try DynamoDBAlarms(table: store.configuration.table, for: .states)]
        if let runs = self.runs as? DynamoDBRunStore {
            tables.append(try DynamoDBAlarms(table: runs.configuration.table, for: .runs))
        }
        return DynamoDBAlarms.template(tables)
    }
}
