import Glibc
import PerdureCassandra
import PerdureDynamoDB
import PerdurePostgres
import PerdureSQLite
import PerdureTestKit
import PerdureWorkflow
import Waiting
import WorkflowZoo

// A process that drives runs of the zoo until it is told to stop, or killed.
//
//   chaos-worker STORE TABLES LEDGER NAME LEASE FROM TO
//
// STORE is the path of an SQLite file, or the URL of a server; TABLES is where the tables are there: PostgreSQL's schema, DynamoDB's table, the
// beginning of the names of Cassandra's. LEASE is in milliseconds; how often the worker looks around follows from it. The runs numbered FROM ..< TO
// are started by this process. A file LEDGER.stop ends it in peace.

func complain(_ words: String) -> Never {
    print("failed: \(words)")
    exit(1)
}

/// The store at a place; whatever else the machine has to do, it has the time that it needs.
func store(at place: String, _ tables: String) throws -> any RunStore {
    switch place.prefix(while: { $0 != ":" }) {
    case "postgres", "postgresql":
        var configuration = try PostgresConfiguration(url: place)
        configuration.schema = tables
        configuration.connectTimeout = .seconds(60)
        return try PostgresStore(configuration)
    case "dynamodb":
        var configuration = try DynamoDBConfiguration(url: place)
        configuration.table = tables
        configuration.credentials = .fixed(AWSCredentials(accessKeyID: "test", secretAccessKey: "test"))
        (configuration.attemptTimeout, configuration.retries.budget) = (.seconds(20), 10_000)
        (configuration.writeTimeout, configuration.readTimeout) = (.seconds(50), .seconds(50))
        return try DynamoDBRunStore(configuration)
    case "cassandra":
        var configuration = try CassandraConfiguration(url: place)
        (configuration.runTables, configuration.table) = (tables, "states_of_\(tables)")
        (configuration.connectTimeout, configuration.attemptTimeout) = (.seconds(60), .seconds(15))
        (configuration.writeTimeout, configuration.readTimeout) = (.seconds(60), .seconds(60))
        return try CassandraStore(configuration)
    default: return try SQLiteStore(place)
    }
}

/// Drives runs on `store` until the process is told to stop.
func work(
    on chosen: some RunStore, _ witness: Witness, name: String, lease: Int, until stopFile: String,
    starting numbers: Range<Int>
) async throws {
    let store = WitnessedRunStore(chosen, witness)
    let zoo = Zoo(witness) {
        // Long enough to be killed in.
        try? await Task.sleep(for: .milliseconds(Int.random(in: 0...12)))
    }
    var configuration = WorkflowEngine.Configuration()
    configuration.name = name
    configuration.lease = .milliseconds(lease)
    configuration.watchInterval = configuration.lease / 10
    configuration.pollInterval = configuration.lease / 100...configuration.lease / 5
    configuration.mailInterval = configuration.lease / 20
    configuration.releaseAfter = .milliseconds(10)
    configuration.adoptionPause = .milliseconds(5)
    configuration.adoptionBatch = 10
    configuration.claimBatch = 10
    configuration.maximumRuns = 40
    // None of the runs is to blame for what happens here.
    configuration.maximumAdoptions = 1_000_000
    let engine = try WorkflowEngine(store: store, configuration: configuration) { zoo.workflows }
    let running = try await beginWorking(engine)
    let keeper = Keeper(engine, witness)
    let starting = Task {
        for number in numbers {
            let animal = zoo.animals[number % zoo.animals.count]
            // What fails is started by somebody else.
            try? await keeper.start(animal, number)
        }
    }
    _ = try await poll(while: { true }) { access(stopFile, F_OK) == 0 }
    starting.cancel()
    running.cancel()
    try await running.value
    await store.disconnect()
}

let arguments = CommandLine.arguments
guard arguments.count == 8, let lease = Int(arguments[5]), let from = Int(arguments[6]), let to = Int(arguments[7]),
    from <= to
else { complain("usage: chaos-worker STORE TABLES LEDGER NAME LEASE FROM TO") }
guard let write = Ledger(arguments[3]).writer() else { complain("the ledger cannot be written") }
let witness = Witness(name: "\(arguments[4])-\(getpid())", telling: write)
do {
    try await work(
        on: store(at: arguments[1], arguments[2]), witness, name: arguments[4], lease: lease,
        until: arguments[3] + ".stop", starting: from..<to)
    print("done 0")
} catch {
    complain(String(reflecting: error))
}
