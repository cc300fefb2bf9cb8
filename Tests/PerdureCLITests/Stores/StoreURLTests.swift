import PerdureStores
import Testing

@testable import PerdureCLI

@Suite("URLs of stores")
struct StoreURLTests {
    private func misuse(_ text: String) -> String? {
        do throws(Misuse) {
            _ = try StoreURL.named(text).store(made: true)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("what is wrong is said, whatever the store")
    func mistakes() {
        let all = StoreURL.examples.joined(separator: ", ")
        #expect(self.misuse("") == "\"\" is no store URL; such as \(all)")
        #expect(self.misuse("cassandr://a/b") == "there is no store for cassandr: URLs; did you mean cassandra:?")
        #expect(self.misuse("http://a/b") == "there is no store for http: URLs; such as \(all)")
        #expect(
            self.misuse("cassandra://a")
                == "the Cassandra URL cannot be used: it must have the form cassandra://host1,host2/keyspace")
        #expect(self.misuse("cassandra://a:x/b")?.contains("a port must be a number between 1 and 65535") == true)
        #expect(self.misuse("postgres://a:70000/b")?.contains("port") == true)
        #expect(self.misuse("postgres://a/b?shema=x")?.contains("shema") == true)
        #expect(self.misuse("dynamodb://")?.isEmpty == false)
        for url in StoreURL.examples { #expect(self.misuse(url) == nil) }
    }

    @Test("noise is refused or taken, never a trap")
    func noise() {
        let pieces = [
            "postgres", "cassandra", "dynamodb", "sqlite", "://", ":", "/", "//", "@", "?", "&", "=", "%", "%00", "%zz",
            "[::1]", "[",
            "host", "a,b", "9042", "-1", "schema=x", "table=", "tls=verify", "connect_timeout=5s", "é", "\u{0}",
            "endpoint=http://h:1",
        ]
        var seed: UInt64 = 3
        func next(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        var refused = 0
        for _ in 0..<4_000 {
            let url = pieces[next(4)] + (0...next(9)).map { _ in pieces[next(pieces.count)] }.joined()
            if self.misuse(url) != nil { refused += 1 }
        }
        #expect(refused > 2_000)
    }
}
