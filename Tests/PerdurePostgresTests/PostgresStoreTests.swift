import Peers
import PerdureConcurrency
import PerdureIO
import PerdureState
import PerdureTestKit
import Testing

@testable import PerdurePostgres

/// What is PostgreSQL's own: schemas, foreign tables, refusals, locks, servers that say no.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"))
struct PostgresStoreTests {
    private func state(_ id: String, _ version: UInt64, _ text: String = "") -> DurableState {
        DurableState(
            persistenceID: id, version: version,
            payload: StatePayload(manifest: "test", bytes: Array("\(id) \(version) \(text)".utf8)),
            timestamp: 1_700_000_000_000, shard: 3)
    }

    // MARK: Tables

    @Test(arguments: ["plain", "Needs Quoting", "a\"b", "sélect", "select"])
    func worksInASchemaOfAnyName(prefix: String) async throws {
        try await TestServer.withSchema(named: prefix) { configuration in
            let store = try PostgresStore(configuration)
            try await store.write(self.state("a", 1), if: .absent)
            #expect(try await store.latestState(of: "a") == self.state("a", 1))
            await store.disconnect()
        }
    }

    @Test func findsTheTableThroughTheSearchPath() async throws {
        try await TestServer.withSchema { configuration in
            let store = try PostgresStore(configuration)
            try await store.write(self.state("a", 1), if: .absent)
            await store.disconnect()
            var other = configuration
            other.schema = nil
            other.parameters["options"] = "-c search_path=nowhere,\(configuration.schema ?? "")"
            let reader = try PostgresStore(other)
            #expect(try await reader.latestState(of: "a") == self.state("a", 1))
            await reader.disconnect()
        }
    }

    @Test func aMissingTableIsToldWithTheRemedy() async throws {
        try await TestServer.withSchema(isSetUp: false) { configuration in
            let store = try PostgresStore(configuration)
            let connecting = await failure { () async throws(StoreError) in try await store.connect() }
            #expect(connecting?.code == .misconfigured)
            #expect(connecting?.message.contains("setup()") == true)
            let writing = await failure { () async throws(StoreError) in
                try await store.write(self.state("a", 1), if: .absent)
            }
            #expect(writing?.code == .misconfigured)
            #expect(writing?.outcome == .notApplied)
            // Made by this store or by another, the tables are found without connecting anew.
            let other = try PostgresStore(configuration)
            try await other.setup()
            try await store.write(self.state("a", 1), if: .absent)
            await other.disconnect()
            await store.disconnect()
        }
    }

    @Test func settingUpTogetherIsDoneOnce() async throws {
        try await TestServer.withSchema(isSetUp: false) { configuration in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        let store = try PostgresStore(configuration)
                        try await store.setup()
                        await store.disconnect()
                    }
                }
                try await group.waitForAll()
            }
            let versions = try await TestServer.run(
                "SELECT version::text FROM perdure_schema ORDER BY component DESC", [], configuration)
            #expect(versions == ["\(PostgresStore.schemaVersion)", "1"])
        }
    }

    /// Columns, order and types as eGo's instructions have them; ours come after.
    @Test func theTableIsEgos() async throws {
        try await TestServer.withSchema { configuration in
            let columns = try await TestServer.run(
                """
                SELECT column_name || ' ' || data_type || ' ' || coalesce(character_maximum_length::text, '-') || ' ' || is_nullable
                FROM information_schema.columns WHERE table_schema = $1 AND table_name = 'states_store' ORDER BY ordinal_position
                """, [configuration.schema ?? ""], configuration)
            #expect(
                columns == [
                    "persistence_id character varying 255 NO", "version_number bigint - NO", "state_payload bytea - NO",
                    "state_manifest character varying 255 NO", "timestamp bigint - NO", "shard_number bigint - NO",
                    "write_id uuid - YES",
                ])
            let store = try PostgresStore(configuration)
            var setup = PostgresStore.Setup()
            setup.versionIndex = true
            try await store.setup(setup)
            await store.disconnect()
            let indexes = try await TestServer.run(
                "SELECT indexname::text FROM pg_indexes WHERE schemaname = $1 AND tablename = 'states_store' ORDER BY 1",
                [configuration.schema ?? ""], configuration)
            #expect(indexes == ["idx_states_store_listing", "idx_states_store_version_number", "states_store_pkey"])
        }
    }

    @Test func anEgoTableWorksAsItIsAndCanBeTakenOver() async throws {
        try await TestServer.withSchema(isSetUp: false) { configuration in
            try await TestServer.makeEgoTable(configuration)
            // The golden vector of a row that eGo wrote: nanoseconds, an Any.
            let any =
                "0a24747970652e676f6f676c65617069732e636f6d2f73616d706c6570622e4163636f756e7412150a0a6163636f756e742d343211000000000068b040"
            try await TestServer.run(
                "INSERT INTO states_store VALUES ('account-42', 7, decode($1, 'hex'), 'google.protobuf.Any', 1700000000123456789, 3)",
                [any], configuration)
            let store = try PostgresStore(configuration)
            try await store.connect()
            let found = try #require(try await store.latestState(of: "account-42"))
            #expect(found.version == 7 && found.shard == 3 && found.timestamp == 1_700_000_000_123)
            #expect(found.payload.manifest == "google.protobuf.Any" && found.payload.bytes.count == 61)

            try await store.write(self.state("account-42", 8), if: .version(7))
            try await store.write(self.state("new", 1), if: .absent)
            let conflict = await failure { () async throws(StoreError) in
                try await store.write(self.state("new", 8), if: .version(7))
            }
            #expect(conflict?.code == .conflict && conflict?.storedVersion == 1)
            #expect(try await store.persistenceIDs(withPrefix: "", after: nil, limit: 10).ids == ["account-42", "new"])
            // Without tombstones a deletion would let a stale writer in: it is refused, not done by half.
            let deleting = await failure { () async throws(StoreError) in
                try await store.delete("new", if: .version(1))
            }
            #expect(deleting?.code == .misconfigured && deleting?.outcome == .notApplied)

            try await store.setup()
            try await store.delete("new", if: .version(1))
            try await store.write(self.state("account-42", 9), if: .version(8))
            // eGo's own upsert still works, and ours over it.
            try await TestServer.run(
                """
                INSERT INTO states_store (persistence_id, version_number, state_payload, state_manifest, timestamp, shard_number)
                VALUES ('account-42', 10, 'x', 'm', 1700000000, 0) ON CONFLICT (persistence_id) DO UPDATE SET
                version_number = excluded.version_number, state_payload = excluded.state_payload,
                state_manifest = excluded.state_manifest, timestamp = excluded.timestamp, shard_number = excluded.shard_number
                """, [], configuration)
            #expect(try await store.latestState(of: "account-42")?.timestamp == 1_700_000_000_000)
            try await store.write(self.state("account-42", 11), if: .version(10))
            await store.disconnect()
        }
    }

    // MARK: Batches

    /// A row that the server refuses leaves its neighbours alone.
    @Test func oneRefusedRowDoesNotSpoilItsNeighbours() async throws {
        try await TestServer.withSchema { configuration in
            try await TestServer.run(
                "ALTER TABLE states_store ADD CONSTRAINT no_evil CHECK (state_manifest <> 'evil')", [], configuration)
            let store = try PostgresStore(configuration)
            var writes = (0..<50).map { StateWrite(self.state("id-\($0)", 1), if: .absent) }
            writes[17].state.payload.manifest = "evil"
            writes[31].state.payload.manifest = "evil"
            let results = await store.write(writes)
            for (index, result) in results.enumerated() {
                switch result {
                case .success: #expect(index != 17 && index != 31)
                case .failure(let error):
                    #expect(index == 17 || index == 31)
                    #expect(error.code == .invalidRequest && error.outcome == .notApplied)
                    #expect((error.underlying as? PostgresServerError)?.constraint == "no_evil")
                }
            }
            await store.disconnect()
        }
    }

    /// A row that somebody else has locked does not hold the others up, and is written when it is free.
    @Test(.timeLimit(.minutes(5))) func aLockedRowDoesNotHoldItsNeighboursUp() async throws {
        try await TestServer.withSchema { configuration in
            let store = try PostgresStore(configuration)
            for number in 0..<20 { try await store.write(self.state("id-\(number)", 1), if: .absent) }
            let loop = try EventLoop.start(named: "test-lock")
            let session = PostgresSession(configuration, on: loop)
            try await session.open()
            // One transaction that keeps its lock until it has slept.
            async let holding = session.run(
                [
                    .init(
                        sql: "SELECT persistence_id::text FROM states_store WHERE persistence_id = 'id-7' FOR UPDATE"),
                    .init(sql: "SELECT pg_sleep(3)::text"),
                ], within: .seconds(30))
            var isLocked = false
            for _ in 0..<10_000 where !isLocked {
                isLocked =
                    try await TestServer.run(
                        "SELECT count(*)::text FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3)%' AND state = 'active' AND pid <> pg_backend_pid()",
                        [], configuration) != ["0"]
            }
            let order = LockedState<[Int]>([])
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let error = await failure { () async throws(StoreError) in
                            try await store.write(self.state("id-\(number)", 2), if: .version(1))
                        }
                        #expect(error == nil, "\(String(reflecting: error))")
                        order.withLock { $0.append(number) }
                    }
                }
            }
            #expect(order.withLock { $0 }.last == 7)
            _ = try await holding
            await session.close()
            loop.shutDown()
            await store.disconnect()
        }
    }

    @Test func batchesOfManyWritersAreMerged() async throws {
        try await TestServer.withSchema { configuration in
            let observer = RecordingObserver()
            var configuration = configuration
            configuration.observer = observer
            let store = try PostgresStore(configuration)
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        for version: UInt64 in 1...20 {
                            try? await store.write(
                                self.state("id-\(number)", version), if: version == 1 ? .absent : .version(version - 1))
                        }
                    }
                }
            }
            for number in 0..<64 { #expect(try await store.latestState(of: "id-\(number)")?.version == 20) }
            var batches = 0
            var writes = 0
            for event in observer.events {
                if case .batchCommitted(_, let count, _) = event { (batches, writes) = (batches + 1, writes + count) }
            }
            #expect(writes == 64 * 20)
            #expect(batches < writes / 4, "\(batches) batches for \(writes) writes")
            await store.disconnect()
        }
    }

    // MARK: Several processes

    /// Two stores with nothing in common but the server fight over 64 IDs: every history must be that of one row.
    @Test(.timeLimit(.minutes(5))) func twoStoresAreLinearizable() async throws {
        try await TestServer.withSchema { configuration in
            let stores = [try PostgresStore(configuration), try PostgresStore(configuration)]
            let seed = UInt64.random(in: 0...UInt64.max)
            print("seed \(seed)")
            let recorders = (0..<64).map { HistoryRecorder(EitherStore(stores), of: "fight-\($0)") }
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<16 {
                    group.addTask {
                        var random = SeededGenerator(seed: seed, stream: UInt64(task))
                        for step in 0..<80 {
                            let recorder = recorders[Int.random(in: 0..<recorders.count, using: &random)]
                            let found = await recorder.read()
                            let version = found?.version ?? 0
                            let next = self.state(
                                recorder.persistenceID, version + 1 + .random(in: 0...2, using: &random),
                                "\(task) \(step)")
                            switch Int.random(in: 0..<10, using: &random) {
                            case 0..<5: await recorder.write(next, if: found == nil ? .absent : .version(version))
                            case 5: await recorder.write(next, if: .absent)
                            case 6: await recorder.write(next, if: .always)
                            case 7, 8: await recorder.delete(if: .version(version))
                            default: await recorder.delete(if: .always)
                            }
                        }
                    }
                }
            }
            for recorder in recorders {
                let verdict = LinearizabilityChecker().verdict(on: recorder.history)
                #expect(verdict == .linearizable, "seed \(seed), \(recorder.persistenceID)")
            }
            for store in stores { await store.disconnect() }
        }
    }

    /// Whole lives begin and end on one side while the other creates: the race that tombstones are checked twice for.
    @Test(.timeLimit(.minutes(5))) func aStaleCreatorNeverHitsALaterLife() async throws {
        try await TestServer.withSchema { configuration in
            let (one, other) = (try PostgresStore(configuration), try PostgresStore(configuration))
            for round in 0..<100 {
                let id = "life-\(round)"
                async let lives: StoreError? = failure { () async throws(StoreError) in
                    try await one.write(self.state(id, 1, "one"), if: .absent)
                    try await one.delete(id, if: .version(1))
                }
                async let stale: StoreError? = failure { () async throws(StoreError) in
                    try await other.write(self.state(id, 1, "other"), if: .absent)
                }
                let (first, second) = (await lives, await stale)
                let found = try await one.latestState(of: id)
                // The second may come first, and then the first is refused; or be refused. Never both lives with version 1.
                if first == nil, second == nil {
                    Issue.record("round \(round): version 1 was written twice")
                }
                if second == nil { #expect(found == self.state(id, 1, "other"), "round \(round)") }
                if first == nil { #expect(found == nil, "round \(round)") }
            }
            await one.disconnect()
            await other.disconnect()
        }
    }

    /// Batches of two stores over the same rows in opposite orders: nobody waits in a circle.
    @Test func batchesOfTwoStoresDoNotDeadlock() async throws {
        try await TestServer.withSchema { configuration in
            let stores = [try PostgresStore(configuration), try PostgresStore(configuration)]
            for number in 0..<40 { try await stores[0].write(self.state("id-\(number)", 1), if: .absent) }
            let before = try await TestServer.run(
                "SELECT deadlocks::text FROM pg_stat_database WHERE datname = current_database()", [], configuration)
            await withTaskGroup(of: Void.self) { group in
                for (index, store) in stores.enumerated() {
                    group.addTask {
                        for _ in 0..<100 {
                            let numbers = index == 0 ? Array(0..<40) : Array((0..<40).reversed())
                            let results = await store.write(
                                numbers.map { StateWrite(self.state("id-\($0)", 2, "\(index)"), if: .always) })
                            for result in results {
                                if case .failure(let error) = result { Issue.record("\(String(reflecting: error))") }
                            }
                        }
                    }
                }
            }
            let after = try await TestServer.run(
                "SELECT deadlocks::text FROM pg_stat_database WHERE datname = current_database()", [], configuration)
            #expect(before == after)
            for store in stores { await store.disconnect() }
        }
    }

    /// The plan decides the order of locks; it must not depend on how many rows the table has.
    @Test func theArraysAreTheOuterSideOfTheLoop() async throws {
        try await TestServer.withSchema { configuration in
            let layout = TableLayout(schema: SessionSettings.quoted(configuration.schema ?? ""), isExtended: true)
            let loop = try EventLoop.start(named: "test-plan")
            for rows in [0, 3, 5_000] {
                let session = PostgresSession(configuration, on: loop)
                try await session.open()
                let plans = try await session.run(
                    [
                        .init(sql: "TRUNCATE states_store"),
                        .init(
                            sql:
                                "INSERT INTO states_store SELECT 'id-' || n, 1, '', '', 0, 0 FROM generate_series(1, \(rows)) n"
                        ),
                        .init(sql: "ANALYZE states_store"),
                        .init(
                            sql:
                                "PREPARE p(text[], bigint[], bytea[], text[], bigint[], bigint[], uuid[], bigint[]) AS "
                                + layout.statements.replace[rows: 2].sql),
                        .init(sql: "EXPLAIN EXECUTE p('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')"),
                        .init(
                            sql: "PREPARE q(text, bigint, bytea, text, bigint, bigint, uuid, bigint) AS "
                                + layout.statements.replace[rows: 1].sql),
                        .init(sql: "EXPLAIN EXECUTE q('', 1, '', '', 1, 1, gen_random_uuid(), 1)"),
                    ], within: .seconds(30))
                let plan = plans[4].joined(separator: "\n")
                let arrays = try #require(plan.firstRange(of: "ProjectSet"))
                let table = try #require(plan.firstRange(of: "Index Scan using states_store_pkey"))
                #expect(plan.contains("Nested Loop") && arrays.lowerBound < table.lowerBound, "\(plan)")
                let lone = plans[6].joined(separator: "\n")
                #expect(lone.contains("Index Scan using states_store_pkey") && !lone.contains("Join"), "\(lone)")
                await session.close()
            }
            loop.shutDown()
        }
    }

    // MARK: Servers that say no

    @Test func aWrongPasswordIsToldAtOnce() async throws {
        var configuration = try TestServer.configuration(schema: nil)
        configuration.password = "wrong"
        let store = try PostgresStore(configuration)
        let error = await failure { () async throws(StoreError) in try await store.connect() }
        #expect(error?.code == .forbidden)
        #expect((error?.underlying as? PostgresServerError)?.sqlState == "28P01")
        await store.disconnect()
    }

    @Test func aMissingDatabaseIsToldAtOnce() async throws {
        var configuration = try TestServer.configuration(schema: nil)
        configuration.database = "no such database"
        let store = try PostgresStore(configuration)
        let error = await failure { () async throws(StoreError) in try await store.ping() }
        #expect(error?.code == .misconfigured)
        #expect((error?.underlying as? PostgresServerError)?.sqlState == "3D000")
        await store.disconnect()
    }

    @Test func aServerThatIsNotThereIsUnavailable() async throws {
        let nobody = try ClosedPort()
        defer { withExtendedLifetime(nobody) {} }
        var configuration = PostgresConfiguration(
            host: "127.0.0.1", port: nobody.port, database: "x", user: "x", password: "x")
        configuration.connectTimeout = .milliseconds(300)
        configuration.writeTimeout = .milliseconds(300)
        let store = try PostgresStore(configuration)
        let connecting = await failure { () async throws(StoreError) in try await store.connect() }
        #expect(connecting?.code == .unavailable)
        let writing = await failure { () async throws(StoreError) in
            try await store.write(self.state("a", 1), if: .absent)
        }
        #expect(writing?.code == .unavailable && writing?.outcome == .notApplied)
        await store.disconnect()
    }

    @Test func namesAreLookedUp() async throws {
        try await TestServer.withSchema { configuration in
            var configuration = configuration
            configuration.hosts[0].name = "localhost"
            let store = try PostgresStore(configuration)
            try await store.connect()
            await store.disconnect()
            configuration.hosts[0].name = "no-such-host.invalid"
            configuration.connectTimeout = .milliseconds(500)
            let lost = try PostgresStore(configuration)
            let error = await failure { () async throws(StoreError) in try await lost.connect() }
            #expect(error?.message.contains("no-such-host.invalid") == true)
            await lost.disconnect()
        }
    }

    @Test func certificatesAreVerified() async throws {
        try await TestServer.withSchema { configuration in
            let file = try await TestServer.run("SELECT current_setting('ssl_ca_file')", [], configuration)
            var verified = configuration
            verified.tls = .verifyFull
            verified.tlsRootCertificateFile = file[0]
            let store = try PostgresStore(verified)
            try await store.connect()
            await store.disconnect()

            // Signed by nobody that the system trusts.
            var distrusted = verified
            distrusted.tlsRootCertificateFile = "system"
            let other = try PostgresStore(distrusted)
            let error = await failure { () async throws(StoreError) in try await other.connect() }
            #expect(error?.code == .misconfigured, "\(String(reflecting: error))")
            await other.disconnect()

            // The right authority, another name than the certificate's.
            var misnamed = verified
            misnamed.parameters["hostaddr"] = "127.0.0.1"
            misnamed.hosts[0].name = "db.example"
            let third = try PostgresStore(misnamed)
            let mismatch = await failure { () async throws(StoreError) in try await third.connect() }
            #expect(mismatch?.code == .misconfigured, "\(String(reflecting: mismatch))")
            await third.disconnect()
        }
    }

    /// As after a fail-over: the server that we are connected to takes no writes any more.
    @Test func aReadOnlyServerIsToldAndReadingGoesOn() async throws {
        try await TestServer.withSchema { configuration in
            let writer = try PostgresStore(configuration)
            try await writer.write(self.state("a", 1), if: .absent)
            await writer.disconnect()
            var readOnly = configuration
            readOnly.parameters["options"] = "-c default_transaction_read_only=on"
            let store = try PostgresStore(readOnly)
            #expect(try await store.latestState(of: "a") == self.state("a", 1))
            for change in 0..<2 {
                let error = await failure { () async throws(StoreError) in
                    if change == 0 { try await store.write(self.state("a", 2), if: .version(1)) }
                    if change == 1 { try await store.delete("a", if: .version(1)) }
                }
                #expect(error?.code == .forbidden && error?.outcome == .notApplied, "\(String(reflecting: error))")
            }
            await store.disconnect()
        }
    }

    @Test func aServerThatEndsOurSessionsIsUsedAgain() async throws {
        try await TestServer.withSchema { configuration in
            var configuration = configuration
            configuration.applicationName = "ended-\(configuration.schema ?? "")"
            let name = configuration.applicationName
            let store = try PostgresStore(configuration)
            for version: UInt64 in 1...20 {
                try await store.write(self.state("a", version), if: version == 1 ? .absent : .version(version - 1))
                // 57P01 on an idle connection, or in the midst of the next write.
                async let ended = TestServer.run(
                    "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()",
                    [name], TestServer.configuration(schema: nil))
                _ = try await store.latestState(of: "a")
                _ = try await ended
            }
            #expect(try await store.latestState(of: "a") == self.state("a", 20))
            await store.disconnect()
        }
    }

    /// A query that hangs is cancelled on the server at the deadline, and its outcome is known.
    @Test(.timeLimit(.minutes(5))) func aHangingWriteIsStoppedAtItsDeadline() async throws {
        try await TestServer.withSchema { configuration in
            try await TestServer.run(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $f$",
                [], configuration)
            try await TestServer.run(
                "CREATE TRIGGER slow BEFORE INSERT ON states_store FOR EACH ROW EXECUTE FUNCTION slow()", [],
                configuration)
            var configuration = configuration
            configuration.writeTimeout = .milliseconds(400)
            let store = try PostgresStore(configuration)
            try await store.connect()
            let error = await failure { () async throws(StoreError) in
                try await store.write(self.state("slow", 1), if: .absent)
            }
            #expect(error?.code == .timeout && error?.outcome == .notApplied, "\(String(reflecting: error))")
            #expect(try await store.latestState(of: "slow") == nil)
            await store.disconnect()
        }
    }

    @Test func errorsTellStrangersNothing() async throws {
        try await TestServer.withSchema { configuration in
            let store = try PostgresStore(configuration)
            try await store.write(self.state("secret-id", 1), if: .absent)
            let error = await failure { () async throws(StoreError) in
                try await store.write(self.state("secret-id", 9, "secret payload"), if: .version(8))
            }
            #expect(error.map { !"\($0)".contains("secret") } == true)
            #expect(error?.debugDescription.contains("secret-id") == true)
            #expect(error.map { !$0.debugDescription.contains("payload") } == true)
            await store.disconnect()
        }
    }
}

/// Asks one of two stores, now this and now that.
private struct EitherStore: StateStore {
    let stores: [PostgresStore]
    init(_ stores: [PostgresStore]) { self.stores = stores }

    private var any: PostgresStore { self.stores[Bool.random() ? 0 : 1] }

    var maximumPayloadByteCount: Int { self.stores[0].maximumPayloadByteCount }
    func connect() async throws(StoreError) { for store in self.stores { try await store.connect() } }
    func disconnect() async { for store in self.stores { await store.disconnect() } }
    func ping() async throws(StoreError) { try await self.any.ping() }
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        try await self.any.write(state, if: condition)
    }
    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        try await self.any.latestState(of: id)
    }
    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try await self.any.delete(id, if: condition)
    }
}
