import PerdureState
import Testing

@testable import PerdurePostgres

/// Statements of another part of the store, on its pool: outcomes, and batches with an answer for each.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"))
struct TransactionTests {
    /// A store through a proxy, and a table `jobs (id, done, token)` in its schema.
    private func withJobs(_ body: (FaultyProxy, PostgresStore, PostgresConfiguration) async throws -> Void) async throws
    {
        try await TestServer.withSchema(named: "jobs") { configuration in
            try await TestServer.run(
                "CREATE TABLE jobs (id TEXT PRIMARY KEY, done BIGINT NOT NULL CHECK (done < 100), token TEXT)", [],
                configuration)
            let proxy = try FaultyProxy(to: configuration.hosts[0].port ?? 5432)
            defer { proxy.stop() }
            var through = configuration
            through.hosts = [.init("127.0.0.1", port: proxy.port)]
            through.tls = .disable
            let store = try PostgresStore(through)
            do {
                try await body(proxy, store, configuration)
                await store.disconnect()
            } catch {
                await store.disconnect()
                throw error
            }
        }
    }

    // The proxy knows changes by the names of the store's own.
    private static let adding = Statement(
        name: "perdure_put_job",
        sql: "INSERT INTO jobs VALUES ($1, 1, NULL) ON CONFLICT (id) DO UPDATE SET done = jobs.done + 1 RETURNING done")
    /// The same token a second time changes nothing and answers the same.
    private static let claiming = Statement(
        name: "perdure_put_claim",
        sql: """
            INSERT INTO jobs VALUES ($1, 1, $2) ON CONFLICT (id) DO UPDATE SET
                done = jobs.done + (jobs.token IS DISTINCT FROM excluded.token)::int, token = excluded.token RETURNING done
            """)

    private func change(_ statement: Statement, _ values: [String], _ repetition: Repetition) -> Transaction<[Int64]> {
        var parameters = ParameterBuffer()
        for value in values { parameters.append(value) }
        return Transaction(
            operation: .write, persistenceID: values[0], repetition: repetition,
            steps: [.init(statement: statement, parameters: parameters)], answer: []
        ) { answers, _, rows in for row in 0..<rows.rowCount { answers.append(rows.integer(row, 0) ?? -1) } }
    }

    @Test func whatIsNotRepeatableStaysUnknown() async throws {
        try await self.withJobs { proxy, store, configuration in
            let found1 = try await store.transact(self.change(Self.adding, ["a"], .once), within: .seconds(30))
            #expect(found1 == [1])
            proxy.lose(.answer, of: "a")
            let error = await failure { () async throws(StoreError) in
                _ = try await store.transact(self.change(Self.adding, ["a"], .once), within: .seconds(30))
            }
            #expect(error?.outcome == .unknown && error?.persistenceID == "a")
            let found2 = try await TestServer.run("SELECT done::text FROM jobs", [], configuration)
            #expect(found2 == ["2"])
        }
    }

    @Test(arguments: [FaultyProxy.Loss.answer, .request]) func whatIsIdempotentIsResolved(loss: FaultyProxy.Loss)
        async throws
    {
        try await self.withJobs { proxy, store, configuration in
            for (number, token) in ["first", "second"].enumerated() {
                proxy.lose(loss, of: "b")
                let answer = try await store.transact(
                    self.change(Self.claiming, ["b", token], .idempotent), within: .seconds(30))
                #expect(answer == [Int64(number + 1)])
            }
            #expect(proxy.cuts == 2)
            let found3 = try await TestServer.run("SELECT done::text FROM jobs", [], configuration)
            #expect(found3 == ["2"])
        }
    }

    @Test func stepsAreDoneTogetherOrNotAtAll() async throws {
        try await self.withJobs { _, store, configuration in
            var both = self.change(Self.adding, ["c"], .once)
            both.steps.append(
                .init(
                    statement: Statement(name: "", sql: "INSERT INTO jobs VALUES ('d', 1000, NULL)"),
                    parameters: ParameterBuffer()))
            let transaction = both
            let error = await failure { () async throws(StoreError) in
                _ = try await store.transact(transaction, within: .seconds(30))
            }
            #expect(error?.code == .invalidRequest && error?.outcome == .notApplied)
            let found4 = try await TestServer.run("SELECT id FROM jobs", [], configuration)
            #expect(found4 == [])
        }
    }

    // MARK: Batches

    private static let rules = GroupRules<(id: String, done: Int64), Bool>(
        operation: .write, repetition: .idempotent,
        steps: { jobs in
            var parameters = ParameterBuffer()
            parameters.append(arrayOf: .text, jobs) { $1.element($0.id) }
            parameters.append(arrayOf: .bigint, jobs) { $1.element($0.done) }
            return [
                .init(
                    statement: Statement(
                        name: "perdure_put_jobs",
                        sql: """
                            INSERT INTO jobs SELECT unnest($1::text[]), unnest($2::bigint[]), NULL
                            ON CONFLICT (id) DO UPDATE SET done = excluded.done WHERE jobs.done < excluded.done RETURNING id
                            """), parameters: parameters)
            ]
        },
        answer: { _ in false },
        receive: { answers, jobs, _, rows in
            for row in 0..<rows.rowCount {
                if let index = jobs.firstIndex(where: { $0.id == rows.text(row, 0) }) { answers[index] = true }
            }
        },
        weight: { $0.id.utf8.count })

    /// Jobs through one line, in their order; the answers stand at their places.
    private func record(_ jobs: [(id: String, done: Int64)], _ store: PostgresStore) async throws -> [Result<
        Bool, StoreError
    >] {
        let works = try store.works(for: .write)
        return await withUnsafeContinuation { continuation in
            let gathering = Gathering<Result<Bool, StoreError>>(count: jobs.count, continuation)
            works.loop.perform {
                let line = GroupLine(works.core.value, Self.rules)
                let deadline = works.loop.now + .seconds(30)
                for (index, job) in jobs.enumerated() {
                    line.add(
                        .init(job: job, key: IDKey(job.id), deadline: deadline) { gathering.put($0, at: index) })
                }
            }
        }
    }

    /// Each gets its own answer; one that the server refuses fails alone.
    @Test func oneBadJobDoesNotSpoilItsNeighbours() async throws {
        try await self.withJobs { _, store, configuration in
            var jobs = (0..<200).map { (id: "job-\($0)", done: Int64($0 % 100)) }
            jobs[77].done = 500
            jobs[150].done = -1
            let results = try await self.record(jobs, store)
            for (index, result) in results.enumerated() {
                switch result {
                case .success(let isDone): #expect(isDone && index != 77)
                case .failure(let error):
                    #expect(index == 77 && error.code == .invalidRequest && error.outcome == .notApplied)
                    #expect(error.persistenceID == "job-77")
                }
            }
            let found5 = try await TestServer.run("SELECT count(*)::text FROM jobs", [], configuration)
            #expect(found5 == ["199"])
        }
    }

    /// Jobs of one key are done one after the other, in order, never two in a batch.
    @Test func jobsOfOneKeyKeepTheirOrder() async throws {
        try await self.withJobs { proxy, store, configuration in
            proxy.lose(.answer, of: "same")
            let results = try await self.record((1...50).map { (id: "same", done: Int64($0)) }, store)
            // Only the one whose answer was lost may find that it has been done.
            #expect(results.count { if case .success(true) = $0 { true } else { false } } >= 49)
            #expect(results.allSatisfy { if case .success = $0 { true } else { false } })
            let found6 = try await TestServer.run("SELECT done::text FROM jobs", [], configuration)
            #expect(found6 == ["50"])
        }
    }
}
