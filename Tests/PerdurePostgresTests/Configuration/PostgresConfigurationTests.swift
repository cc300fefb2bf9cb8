import PerdureState
import Testing

@testable import PerdurePostgres

@Suite struct PostgresConfigurationTests {
    @Test func readsAURL() throws {
        let configuration = try PostgresConfiguration(
            url: "postgres://ada:s%40crt@db1:5433,[::1]:5434,db2/my%20bank?schema=Main%20%22x%22&sslmode=verify-full"
                + "&pool_max_conns=9&pool_min_conns=2&pool_max_conn_lifetime=30m&pool_max_conn_idle_time=0"
                + "&write_timeout=500ms&busy_poll=250us&connect_timeout=3&keepalives_idle=7")
        #expect(configuration.hosts == [.init("db1", port: 5433), .init("::1", port: 5434), .init("db2")])
        #expect(configuration.user == "ada")
        #expect(configuration.password == "s@crt")
        #expect(configuration.database == "my bank")
        #expect(configuration.schema == "Main \"x\"")
        #expect(configuration.tls == .verifyFull)
        #expect(configuration.pool.maximumConnections == 9)
        #expect(configuration.pool.minimumConnections == 2)
        #expect(configuration.pool.connectionLifetime == .seconds(1_800))
        #expect(configuration.pool.connectionIdleTime == nil)
        #expect(configuration.writeTimeout == .milliseconds(500))
        #expect(configuration.busyPolling == .microseconds(250))
        #expect(configuration.connectTimeout == .seconds(3))
        #expect(configuration.parameters == ["keepalives_idle": "7"])
    }

    @Test(arguments: [
        "mysql://host/db", "postgres://host:99999/db", "postgres://host/db?pool_max_conns=many",
        "postgres://host/db?no_such_setting=1", "postgres://host/db?schema", "postgres://host/%zz",
        "postgres://host/db?sslmode=yes", "postgres://host/db?write_timeout=soon",
        "postgres://host/db?pool_max_conns=0",
        "postgres://host/db?pool_min_conns=5", "postgres://us%00er@host/db", "postgres://host/db?write_timeout=0",
        "postgres://host/db?busy_poll=1001ms",
    ])
    func saysWhatIsWrongWithAURL(url: String) {
        let error = self.failure { () throws(StoreError) in _ = try PostgresConfiguration(url: url) }
        #expect(error?.code == .misconfigured)
    }

    private func failure(_ body: () throws(StoreError) -> Void) -> StoreError? {
        do throws(StoreError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    @Test func neverTellsThePassword() throws {
        let secret = "very-secret"
        let configuration = try PostgresConfiguration(url: "postgres://ada:\(secret)@host/db")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains(secret))
        }
        let error = self.failure { () throws(StoreError) in
            _ = try PostgresConfiguration(url: "postgres://ada:\(secret)@host/db?nothing=1")
        }
        #expect(error.map { !$0.debugDescription.contains(secret) } == true)
    }

    @Test func verifiesServersThatAreNotThisMachine() throws {
        let remote = ConnectionKeywords(try PostgresConfiguration(url: "postgres://db.example/bank"))
        #expect(remote.values["sslmode"] == "verify-full")
        let local = ConnectionKeywords(try PostgresConfiguration(url: "postgres://127.0.0.1/bank"))
        #expect(local.values["sslmode"] == nil)
        let mixed = ConnectionKeywords(try PostgresConfiguration(url: "postgres://127.0.0.1,db.example/bank"))
        #expect(mixed.values["sslmode"] == "verify-full")
        #expect(mixed.values["target_session_attrs"] == "read-write")
        let said = ConnectionKeywords(try PostgresConfiguration(url: "postgres://db.example/bank?sslmode=require"))
        #expect(said.values["sslmode"] == "require")
    }

    @Test func putsAddressesInForNames() throws {
        var keywords = ConnectionKeywords(try PostgresConfiguration(url: "postgres://one:1,10.0.0.2:2,two:3/bank"))
        #expect(keywords.names == ["one", "two"])
        keywords.resolve(["one": ["10.0.0.1", "::1"], "two": []])
        #expect(keywords.values["host"] == "one,one,10.0.0.2")
        #expect(keywords.values["hostaddr"] == "10.0.0.1,::1,10.0.0.2")
        #expect(keywords.values["port"] == "1,1,2")
    }

    @Test func readsSQLSTATEsOutOfLibpqsWords() {
        let fault = ServerFault(
            connecting:
                "connection to server at \"127.0.0.1\", port 1 failed: FATAL:  28P01: password authentication failed"
                + " for user \"x\"\nLOCATION:  auth_failed, auth.c:326\n")
        #expect(fault.state == "28P01")
        #expect(fault.isPermanentForConnecting)
        #expect(fault.code == .forbidden)
        #expect(!fault.message.contains("LOCATION"))
    }
}
