import Glibc
import PerdurePostgres
import PerdureSQLite
import PerdureTestKit
import PerdureWorkflow
import WorkflowZoo

// A process that drives runs of the zoo until it is told to stop, or killed.
//
//   chaos-worker STORE SCHEMA LEDGER NAME LEASE FROM TO
//
// STORE is the path of an SQLite file, or the URL of a PostgreSQL server; SCHEMA is for the latter. LEASE is in milliseconds. The runs numbered
// FROM ..< TO are started by this process. A file LEDGER.stop ends it in peace.

func complain(_ words: String) -> Never {
    print("failed: \(words)")
    exit(1)
}

/// Drives runs on `store` until the process is told to stop.
func work(
    on store: some RunStore, _ witness: Witness, name: String, lease: Int, until stopFile: String,
    starting numbers: Range<Int>
) async throws {
    let zoo = Zoo(witness) {
        // Long enough to be killed in.
        try? await Task.sleep(for: .milliseconds(Int.random(in: 0...12)))
    }
    var configuration = WorkflowEngine.Configuration()
    configuration.name = name
    configuration.lease = .milliseconds(lease)
    configuration.watchInterval = .milliseconds(50)
    configuration.pollInterval = .milliseconds(5) ... .milliseconds(100)
    configuration.mailInterval = .milliseconds(25)
    configuration.releaseAfter = .milliseconds(10)
    configuration.adoptionPause = .milliseconds(5)
    configuration.adoptionBatch = 10
    configuration.claimBatch = 10
    configuration.maximumRuns = 40
    // None of the runs is to blame for what happens here.
    configuration.maximumAdoptions = 1_000_000
    let engine = try WorkflowEngine(store: store, configuration: configuration) { zoo.workflows }
    let running = Task { try await engine.run() }
    while !engine.isWorker { try await Task.sleep(for: .milliseconds(1)) }
    let keeper = Keeper(engine, witness)
    let starting = Task {
        for number in numbers {
            let animal = zoo.animals[number % zoo.animals.count]
            // What fails is started by somebody else.
            try? await keeper.start(animal, number)
        }
    }
    while access(stopFile, F_OK) != 0 { try await Task.sleep(for: .milliseconds(20)) }
    starting.cancel()
    running.cancel()
    try await running.value
    await store.disconnect()
}

let arguments = CommandLine.arguments
guard arguments.count == 8, let lease = Int(arguments[5]), let from = Int(arguments[6]), let to = Int(arguments[7]),
    from <= to
else { complain("usage: chaos-worker STORE SCHEMA LEDGER NAME LEASE FROM TO") }
guard let write = Ledger(arguments[3]).writer() else { complain("the ledger cannot be written") }
let witness = Witness(name: "\(arguments[4])-\(getpid())", telling: write)
do {
    if arguments[1].hasPrefix("postgres") {
        var configuration = try PostgresConfiguration(url: arguments[1])
        configuration.schema = arguments[2]
        configuration.connectTimeout = .seconds(60)
        let store = try PostgresStore(configuration)
        try await work(
            on: WitnessedRunStore(store, witness), witness, name: arguments[4], lease: lease,
            until: arguments[3] + ".stop", starting: from..<to)
    } else {
        let store = try SQLiteStore(arguments[1])
        try await work(
            on: WitnessedRunStore(store, witness), witness, name: arguments[4], lease: lease,
            until: arguments[3] + ".stop", starting: from..<to)
    }
    print("done 0")
} catch {
    complain(String(reflecting: error))
}
