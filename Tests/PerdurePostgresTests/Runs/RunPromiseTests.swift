import PerdureTestKit
import PerdureWorkflow
import Testing

@testable import PerdurePostgres

/// Every promise of the run stores' contract on a real server, with a network between that loses what it is told to lose.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"), .timeLimit(.minutes(20)))
struct RunPromiseTests {
    @Test("keeps its promise", arguments: RunPromise.all)
    func keeps(_ promise: RunPromise) async throws {
        try await TestServer.withSchema(named: "runs") { direct in
            let proxy = try FaultyProxy(to: direct.hosts[0].port ?? 5432)
            defer { proxy.stop() }
            var leading = direct
            // Large values take the proxy long.
            if promise.number == 6 {
                leading.hosts = [.init("127.0.0.1", port: proxy.port)]
                leading.tls = .disable
            }
            leading.maximumPayloadByteCount = 8 << 20
            // What is lost is found again however slow the machine, so that the answer is never "unknown" for want of time.
            leading.writeTimeout = .seconds(120)
            let configuration = leading
            let fixture = RunStoreFixture(
                "postgres", makeStore: { try PostgresStore(configuration) },
                makeSecondStore: { _ in try PostgresStore(configuration) },
                loseNextAnswer: { _, id in proxy.lose(.answer, of: id) },
                loseNextRequest: { _, id in proxy.lose(.request, of: id) })
            let verdict = try await promise.verify(
                on: fixture, settings: PromiseSettings(rounds: 2, timeLimit: .seconds(600)))
            #expect(verdict == .kept, "\(verdict)")
        }
    }
}
