// swift-tools-version: 6.0
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "perdure",
    products: [
        .library(name: "PerdureState", targets: ["PerdureState"]),
        .library(name: "PerdureWorkflow", targets: ["PerdureWorkflow"]),
        .library(name: "PerdureSQLite", targets: ["PerdureSQLite"]),
        .library(name: "PerdureCQL", targets: ["PerdureCQL"]),
        .library(name: "PerdureCQLClient", targets: ["PerdureCQLClient"]),
        .library(name: "PerdurePostgres", targets: ["PerdurePostgres"]),
        .library(name: "PerdureDynamoDB", targets: ["PerdureDynamoDB"]),
        .library(name: "PerdureCassandra", targets: ["PerdureCassandra"]),
        .library(name: "PerdureTestKit", targets: ["PerdureTestKit"]),
        .executable(name: "perdure", targets: ["perdure"]),
    ],
    targets: [
        // Libraries of the system: each has exactly one importer.
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CLibPQ", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CYYJSON", providers: [.apt(["libyyjson-dev"])]),
        .systemLibrary(name: "CLinux"),

        // The domain.
        .target(name: "PerdureConcurrency", swiftSettings: settings),
        .target(name: "PerdureModel", dependencies: ["PerdureConcurrency"], swiftSettings: settings),
        .target(name: "PerdureState", dependencies: ["PerdureModel", "PerdureConcurrency"], swiftSettings: settings),

        .target(
            name: "PerdureWorkflow", dependencies: ["PerdureModel", "PerdureConcurrency"], swiftSettings: settings),

        // The Cassandra native protocol as values: no socket, no clock, no lock.
        .target(name: "PerdureCQL", dependencies: ["CLZ4"], swiftSettings: settings),

        // What stores on a network stand on.
        .target(
            name: "PerdureIO", dependencies: ["PerdureConcurrency", "CLinux"], swiftSettings: settings),
        .target(name: "PerdureCrypto", dependencies: ["COpenSSL"], swiftSettings: settings),

        // A driver for Cassandra; knows nothing of states.
        .target(
            name: "PerdureCQLClient", dependencies: ["PerdureCQL", "PerdureIO", "PerdureConcurrency", "PerdureCrypto"],
            swiftSettings: settings),

        // Stores.
        .target(
            name: "PerdureSQLite",
            dependencies: ["PerdureState", "PerdureWorkflow", "PerdureModel", "PerdureConcurrency", "CSQLite"],
            resources: [.embedInCode("Schema/schema1.sql"), .embedInCode("Schema/schema2.sql")],
            swiftSettings: settings),

        .target(
            name: "PerdurePostgres",
            dependencies: [
                "PerdureState", "PerdureWorkflow", "PerdureModel", "PerdureConcurrency", "PerdureIO", "CLibPQ",
            ],
            resources: [
                .embedInCode("Schema/states1.sql"), .embedInCode("Schema/states2.sql"),
                .embedInCode("Schema/runs1.sql"),
            ],
            swiftSettings: settings),

        .target(
            name: "PerdureDynamoDB",
            dependencies: [
                "PerdureState", "PerdureWorkflow", "PerdureModel", "PerdureConcurrency", "PerdureIO", "PerdureCrypto",
                "CCurl", "CYYJSON",
            ],
            swiftSettings: settings),

        .target(
            name: "PerdureCassandra",
            dependencies: [
                "PerdureState", "PerdureWorkflow", "PerdureModel", "PerdureConcurrency", "PerdureCQLClient",
            ],
            resources: [
                .embedInCode("Schema/states1.cql"), .embedInCode("Schema/states1-sharded.cql"),
                .embedInCode("Schema/states2.cql"), .embedInCode("Schema/states2-sharded.cql"),
                .embedInCode("Schema/runs1.cql"),
            ],
            swiftSettings: settings),

        // For tests: ours, and our users'.
        .target(
            name: "PerdureTestKit",
            dependencies: ["PerdureState", "PerdureWorkflow", "PerdureModel", "PerdureConcurrency"],
            swiftSettings: settings),

        // Which store a URL names: the only place that knows every kind, for the tool and for the demo.
        .target(
            name: "PerdureStores",
            dependencies: [
                "PerdureSQLite", "PerdurePostgres", "PerdureDynamoDB", "PerdureCassandra", "PerdureState",
                "PerdureWorkflow",
            ],
            swiftSettings: settings),

        // The tool.
        .target(
            name: "PerdureCLI",
            dependencies: [
                "PerdureStores", "PerdureSQLite", "PerdureState", "PerdureWorkflow", "PerdureModel",
                "PerdureConcurrency", "PerdureTestKit", "CLinux",
            ],
            swiftSettings: settings),
        .executableTarget(name: "perdure", dependencies: ["PerdureCLI"], swiftSettings: settings),

        // The demo; script/demo builds and runs it. No product: nobody's package needs it.
        .executableTarget(
            name: "Flights",
            dependencies: ["PerdureStores", "PerdureState", "PerdureWorkflow"], path: "Examples/Flights",
            exclude: ["Data", "count.py"], swiftSettings: settings),

        // Small complete programs, as a user would write them: they see the products and nothing else.
        .executableTarget(
            name: "Bank", dependencies: ["PerdureSQLite"], path: "Examples/Bank", exclude: ["README.md"],
            swiftSettings: settings),
        .executableTarget(
            name: "Orders", dependencies: ["PerdureSQLite"], path: "Examples/Orders", exclude: ["README.md"],
            swiftSettings: settings),
        .executableTarget(
            name: "Devices", dependencies: ["PerdureSQLite"], path: "Examples/Devices", exclude: ["README.md"],
            swiftSettings: settings),

        // Benchmarks, run by script/bench; the C target holds what figures are held against.
        .target(
            name: "CBaselines", path: "Benchmarks/CBaselines",
            linkerSettings: [.linkedLibrary("sqlite3"), .linkedLibrary("pq"), .linkedLibrary("curl")]),
        .executableTarget(
            name: "perdure-bench",
            dependencies: [
                "PerdureSQLite", "PerdurePostgres", "PerdureDynamoDB", "PerdureCassandra", "PerdureState",
                "PerdureWorkflow", "PerdureCQL", "PerdureTestKit", "CBaselines",
            ],
            path: "Benchmarks/PerdureBench", swiftSettings: settings),

        // Tests mirror the sources.
        .testTarget(name: "PerdureModelTests", dependencies: ["PerdureModel"], swiftSettings: settings),
        .testTarget(
            name: "PerdureStateTests",
            dependencies: ["PerdureState", "PerdureConcurrency", "PerdureTestKit", "Waiting"],
            swiftSettings: settings),
        .testTarget(
            name: "PerdureConcurrencyTests", dependencies: ["PerdureConcurrency", "PerdureTestKit"],
            swiftSettings: settings),
        .testTarget(
            name: "PerdureWorkflowTests",
            dependencies: [
                "PerdureWorkflow", "PerdureModel", "PerdureConcurrency", "PerdureTestKit", "WorkflowZoo", "EngineCases",
                "BrokenRunStores", "Waiting", "Processes",
            ],
            exclude: ["Definition/Programs"], swiftSettings: settings),
        .testTarget(
            name: "PerdureSQLiteTests",
            dependencies: [
                "PerdureSQLite", "PerdureWorkflow", "PerdureTestKit", "CrashWorkload", "CSanitizers", "Processes",
                "WorkflowZoo", "Chaos", "EngineCases",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "PerdureCQLTests", dependencies: ["PerdureCQL"], exclude: ["Vectors/generate.py"],
            swiftSettings: settings),
        .testTarget(
            name: "PerdureCQLClientTests",
            dependencies: [
                "PerdureCQLClient", "PerdureCQL", "PerdureCrypto", "PerdureIO", "PerdureConcurrency", "Peers",
                "Waiting",
            ],
            swiftSettings: settings),
        .testTarget(name: "PerdureCryptoTests", dependencies: ["PerdureCrypto"], swiftSettings: settings),
        .testTarget(
            name: "PerdureIOTests", dependencies: ["PerdureIO", "PerdureConcurrency", "Waiting"],
            swiftSettings: settings),
        .testTarget(
            name: "PerdurePostgresTests",
            dependencies: [
                "PerdurePostgres", "PerdureWorkflow", "PerdureIO", "PerdureConcurrency", "PerdureTestKit", "Fight",
                "Peers", "Processes", "WorkflowZoo", "Chaos", "EngineCases", "Waiting",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "PerdureDynamoDBTests",
            dependencies: [
                "PerdureDynamoDB", "PerdureWorkflow", "PerdureCrypto", "PerdureIO", "PerdureConcurrency",
                "PerdureTestKit", "Chaos", "Peers", "Processes",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "PerdureCassandraTests",
            dependencies: [
                "PerdureCassandra", "PerdureCQLClient", "PerdureConcurrency", "PerdureTestKit", "PerdureWorkflow",
                "Chaos", "Peers", "Processes",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "PerdureTestKitTests",
            dependencies: ["PerdureConcurrency", "PerdureTestKit", "PerdureWorkflow", "BrokenRunStores"],
            swiftSettings: settings),
        .testTarget(
            name: "PerdureCLITests",
            dependencies: [
                "PerdureCLI", "PerdureStores", "PerdureConcurrency", "PerdureState", "PerdureWorkflow", "PerdureModel",
                "perdure", "Processes", "Waiting",
            ],
            exclude: ["Protobuf/bank.proto", "Protobuf/bank.binpb"], swiftSettings: settings),
        .testTarget(
            name: "FlightsTests", dependencies: ["Flights", "PerdureSQLite", "PerdureState"], swiftSettings: settings),

        .testTarget(
            name: "ExampleTests", dependencies: ["Bank", "Orders", "Devices", "Processes", "perdure"],
            swiftSettings: settings),

        // One workflow of every kind, with a model of each, whoever sees what becomes of their runs, and a judge.
        .target(
            name: "WorkflowZoo",
            dependencies: ["PerdureWorkflow", "PerdureModel", "PerdureConcurrency", "PerdureTestKit", "Waiting"],
            path: "Tests/Helpers/WorkflowZoo", swiftSettings: settings),
        // Run stores that do one thing wrong, for the promise suite and for judges of runs.
        .target(
            name: "BrokenRunStores", dependencies: ["PerdureModel", "PerdureTestKit"],
            path: "Tests/Helpers/BrokenRunStores", swiftSettings: settings),
        // What stands between a store and its server, and does to their conversation what networks do.
        .target(
            name: "Peers", dependencies: ["PerdureConcurrency"], path: "Tests/Helpers/Peers", swiftSettings: settings),
        // Processes that tests start, and send signals.
        .target(
            name: "Processes", dependencies: ["PerdureConcurrency"], path: "Tests/Helpers/Processes",
            swiftSettings: settings),
        // How tests wait for what happens in real time.
        .target(
            name: "Waiting", dependencies: ["PerdureConcurrency"], path: "Tests/Helpers/Waiting",
            swiftSettings: settings),
        // What an engine does on any store.
        .target(
            name: "EngineCases",
            dependencies: [
                "PerdureWorkflow", "PerdureModel", "PerdureConcurrency", "PerdureTestKit", "WorkflowZoo", "Waiting",
            ],
            path: "Tests/Helpers/EngineCases", swiftSettings: settings),
        // Processes that drive runs, and what torments them.
        .target(
            name: "Chaos",
            dependencies: [
                "PerdureWorkflow", "PerdureModel", "PerdureConcurrency", "PerdureTestKit", "Processes", "WorkflowZoo",
                "EngineCases", "Waiting",
            ],
            path: "Tests/Helpers/Chaos", swiftSettings: settings),
        .executableTarget(
            name: "chaos-worker",
            dependencies: [
                "PerdureSQLite", "PerdurePostgres", "PerdureDynamoDB", "PerdureCassandra", "PerdureWorkflow",
                "PerdureTestKit", "WorkflowZoo", "Waiting",
            ],
            path: "Tests/Helpers/ChaosWorker", swiftSettings: settings),
        // A process for tests to kill, and the shim that knows when.
        .target(name: "CFaultPoints", path: "Tests/Helpers/CFaultPoints"),
        .target(name: "CSanitizers", path: "Tests/Helpers/CSanitizers"),
        .target(
            name: "CrashWorkload", dependencies: ["PerdureState"], path: "Tests/Helpers/CrashWorkload",
            swiftSettings: settings),
        .executableTarget(
            name: "sqlite-crash-child",
            dependencies: [
                "CFaultPoints", "CrashWorkload", "CSanitizers", "PerdureSQLite", "PerdureWorkflow", "PerdureModel",
                "PerdureConcurrency", "PerdureTestKit", "WorkflowZoo", "Waiting",
            ],
            path: "Tests/Helpers/SQLiteCrashChild", swiftSettings: settings),
        // Processes that fight over the same IDs, and what they do.
        .target(
            name: "Fight", dependencies: ["PerdureState", "PerdureTestKit"], path: "Tests/Helpers/Fight",
            swiftSettings: settings),
        .executableTarget(
            name: "postgres-fighter", dependencies: ["Fight", "PerdurePostgres"],
            path: "Tests/Helpers/PostgresFighter", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
