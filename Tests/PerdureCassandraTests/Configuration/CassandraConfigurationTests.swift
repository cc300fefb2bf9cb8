import PerdureCQLClient
import PerdureState
import Testing

@testable import PerdureCassandra

@Suite struct CassandraConfigurationTests {
    @Test func readsAURLWithEverything() throws {
        let configuration = try CassandraConfiguration(
            url: "cassandra://a%64a:p%40ss@10.0.0.1,[::1],db.example:9142/bank?table=accounts&dc=eu&consistency=QUORUM"
                + "&serial_consistency=local_serial&writes=latest&reads=plain&shards=7&other_shards=ignored&tls=verify_ca"
                + "&ca_file=/etc/ca.pem&tls_name=node&compression=lz4&connections=3&connect_timeout=2s&attempt_timeout=700ms"
                + "&write_timeout=1m&read_timeout=3&setup_timeout=1h&busy_poll=2ms&max_payload=100&nanoseconds=true")
        #expect(configuration.user == "ada" && configuration.password == "p@ss")
        #expect(configuration.contactPoints == ["10.0.0.1", "::1", "db.example"] && configuration.port == 9_142)
        #expect(configuration.keyspace == "bank" && configuration.table == "accounts")
        #expect(configuration.localDataCenter == "eu" && configuration.consistency == .quorum)
        #expect(configuration.serialConsistency == .localSerial && configuration.readConsistency == .quorum)
        #expect(configuration.writes == .latest && configuration.reads == .plain)
        #expect(configuration.shards == 7 && configuration.otherShards == .ignored)
        let tls = CQLTLSConfiguration(
            authoritiesFile: "/etc/ca.pem", serverName: "node", verification: .authorityOnly)
        #expect(configuration.tls == .on(tls) && configuration.client.tls == tls)
        #expect(configuration.compression == .lz4 && configuration.connectionsPerNode == 3)
        #expect(configuration.connectTimeout == .seconds(2) && configuration.attemptTimeout == .milliseconds(700))
        #expect(configuration.writeTimeout == .seconds(60) && configuration.readTimeout == .seconds(3))
        #expect(configuration.setupTimeout == .seconds(3_600) && configuration.busyPolling == .milliseconds(2))
        #expect(configuration.client.busyPolling == .milliseconds(2))
        #expect(configuration.maximumPayloadByteCount == 100 && configuration.writesNanoseconds)
    }

    @Test func theUsualIsSafe() throws {
        let local = try CassandraConfiguration(url: "cassandra://127.0.0.1/bank")
        #expect(local.client.tls == nil && local.port == 9_042 && local.table == "states_store")
        #expect(local.writes == .conditional && local.readConsistency == .serial)
        #expect(local.consistency == .localQuorum && local.serialConsistency == .serial)
        // Anywhere else names are verified, unless somebody says otherwise.
        let remote = try CassandraConfiguration(url: "cassandra://127.0.0.1,db.example/bank")
        #expect(remote.client.tls == CQLTLSConfiguration())
        #expect(try CassandraConfiguration(url: "cassandra://db.example/bank?tls=off").client.tls == nil)
    }

    @Test(
        arguments: [
            ("http://a/b", "cassandra://"), ("cassandra://a", "form"), ("cassandra://a/", "keyspace"),
            ("cassandra:///k", "host"), ("cassandra://a:1,b:2/k", "same port"), ("cassandra://a:0/k", "port"),
            ("cassandra://a/k-x", "keyspace"), ("cassandra://a/k?nonsense=1", "nonsense"),
            ("cassandra://a/k?consistency=any", "consistency"), ("cassandra://a/k?consistency=most", "consistency"),
            ("cassandra://a/k?serial_consistency=one", "serialConsistency"), ("cassandra://a/k?shards=0", "shards"),
            ("cassandra://a/k?writes=sometimes", "writes"), ("cassandra://a/k?tls=off&ca_file=x", "tls"),
            ("cassandra://a/k?cert_file=x", "together"), ("cassandra://a/k?write_timeout=0", "writeTimeout"),
            ("cassandra://a/k?busy_poll=2s", "busyPolling"),
            ("cassandra://:secret@a/k", "user"), ("cassandra://a/k?table=", "table"), ("cassandra://%zz/k", "%"),
            ("cassandra://a/k?max_payload=99999999999", "maximumPayloadByteCount"), ("cassandra://a/k?reads", "value"),
        ])
    func refusesWhatItCannotUse(_ url: String, _ word: String) throws {
        do throws(StoreError) {
            _ = try CassandraConfiguration(url: url)
            Issue.record("\(url) was taken")
        } catch {
            #expect(error.code == .misconfigured)
            #expect(error.message.contains(word), "\(error.message)")
            #expect(!error.message.contains("secret"))
        }
    }

    @Test func nothingShowsThePassword() throws {
        let configuration = try CassandraConfiguration(url: "cassandra://ada:secret@127.0.0.1/bank")
        var text = ""
        dump(configuration, to: &text)
        #expect(!text.contains("secret") && !"\(configuration)".contains("secret"))
        #expect("\(configuration)" == "cassandra://ada@127.0.0.1:9042/bank")
    }
}
