import PerdureState
import PerdureTestKit
import Testing

@testable import PerdurePostgres

/// What the server says besides its answers reaches the observer, without values.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"))
struct NoticeTests {
    private struct Notice: Equatable {
        var severity: PerdureEvent.NoticeSeverity
        var code: String
        var message: String
    }

    private func notices(_ observer: RecordingObserver) -> [Notice] {
        observer.events.compactMap { event in
            guard case .serverNotice("postgres", let severity, let code, let message) = event else { return nil }
            return Notice(severity: severity, code: code, message: message)
        }
    }

    @Test func theServersOwnNoticesAreToldInItsWords() async throws {
        try await TestServer.withSchema { configuration in
            let observer = RecordingObserver()
            var configuration = configuration
            configuration.observer = observer
            let store = try PostgresStore(configuration)
            // Everything is there already, as the server remarks.
            try await store.setup()
            await store.disconnect()
            let told = self.notices(observer)
            #expect(
                told.contains(
                    Notice(
                        severity: .notice, code: "42P07",
                        message: "relation \"states_store\" already exists, skipping")), "\(told)")
            #expect(told.allSatisfy { $0.severity == .notice })
        }
    }

    /// Code inside the database may quote what is stored; of it the place is told, and nothing else.
    @Test(arguments: [("NOTICE", "00000"), ("WARNING", "01000"), ("WARNING", "PX042")])
    func whatATriggerRaisesIsToldWithoutValues(level: String, code: String) async throws {
        try await TestServer.withSchema { configuration in
            let using = code.hasPrefix("PX") ? " USING ERRCODE = '\(code)'" : ""
            try await TestServer.run(
                """
                CREATE FUNCTION chatty() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
                    RAISE \(level) 'manifest % of %', NEW.state_manifest, NEW.persistence_id\(using); RETURN NEW; END $f$
                """, [], configuration)
            try await TestServer.run(
                "CREATE TRIGGER chatty BEFORE INSERT ON states_store FOR EACH ROW EXECUTE FUNCTION chatty()", [],
                configuration)
            let observer = RecordingObserver()
            var configuration = configuration
            configuration.observer = observer
            let store = try PostgresStore(configuration)
            let state = DurableState(
                persistenceID: "secret-id", version: 1, payload: StatePayload(manifest: "secret-manifest", bytes: [1]))
            try await store.write(state, if: .absent)
            await store.disconnect()
            let told = try #require(self.notices(observer).first)
            #expect(told.severity.rawValue == level && told.code == code)
            #expect(told.message.contains("PL/pgSQL function chatty() line 2 at RAISE"), "\(told)")
            for event in observer.events {
                for field in event.fields { #expect(!field.value.contains("secret"), "\(field)") }
                if case .serverNotice = event {
                    #expect(event.name == "store.server.notice")
                    #expect(event.level == (level == "WARNING" ? .warning : .debug))
                }
            }
        }
    }

    @Test func aBlockOfCodeIsToldByItsPlace() async throws {
        let observer = RecordingObserver()
        var configuration = try TestServer.configuration(schema: nil)
        configuration.observer = observer
        try await TestServer.run("DO $$ BEGIN RAISE WARNING 'secret %', 42; END $$", [], configuration)
        let told = self.notices(observer)
        #expect(told.count == 1 && told.first?.message.contains("inline_code_block") == true, "\(told)")
        #expect(told.first?.message.contains("42") == false && told.first?.message.contains("secret") == false)
    }
}
