internal import PerdureCQLClient
internal import PerdureModel
public import PerdureState

extension CassandraConfiguration {
    /// Reads `cassandra://user:password@host1,host2:port/keyspace?setting=value&…`.
    ///
    /// All hosts have one port, which stands after the last or after each. Settings are `table`, `run_tables`, `dc`, `consistency`,
    /// `serial_consistency` (`serial`, `local_serial`), `writes` (`conditional`, `latest`), `reads` (`serial`, `plain`), `shards`,
    /// `other_shards` (`found`, `ignored`); `tls` (`verify`, `verify_ca`, `unverified`, `off`), `ca_file`, `cert_file`, `key_file`,
    /// `tls_name`; `compression` (`lz4`, `none`), `connections`; `connect_timeout`, `attempt_timeout`, `write_timeout`,
    /// `read_timeout`, `setup_timeout`; `busy_poll`; `max_payload` (bytes) and `nanoseconds` (`true`, `false`). Times are written `500ms`, `90s`,
    /// `10m`, `1h`, or as plain seconds. What needs it is percent-encoded.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` that says which part is wrong; the password is not in it.
    public init(url: String) throws(StoreError) {
        self.init(contactPoints: [], keyspace: "")
        do throws(Flaw) { try self.read(url) } catch {
            throw StoreError(
                .misconfigured, operation: .connect, message: "the Cassandra URL cannot be used: \(error.words)")
        }
        if let violation = self.violation {
            throw StoreError(
                .misconfigured, operation: .connect, message: "the Cassandra URL cannot be used: \(violation)")
        }
    }

    private struct Flaw: Error { let words: String }

    private mutating func read(_ url: String) throws(Flaw) {
        guard url.hasPrefix("cassandra://") else { throw Flaw(words: "it must begin with cassandra://") }
        let parts = url.dropFirst(12).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var place = parts[0]
        guard let slash = place.firstIndex(of: "/") else {
            throw Flaw(words: "it must have the form cassandra://host1,host2/keyspace")
        }
        self.keyspace = try Self.decoded(place[place.index(after: slash)...], "the keyspace")
        place = place[..<slash]
        if let sign = place.lastIndex(of: "@") {
            let login = place[..<sign].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if let user = login.first, !user.isEmpty { self.user = try Self.decoded(user, "the user") }
            if login.count == 2 { self.password = try Self.decoded(login[1], "the password") }
            place = place[place.index(after: sign)...]
        }
        try self.readHosts(place)
        var tls = TLSWords()
        for setting in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let pair = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { throw Flaw(words: "the setting \(pair[0]) has no value") }
            let (key, value) = (String(pair[0]), try Self.decoded(pair[1], "the setting \(pair[0])"))
            guard tls.set(key, to: value) || self.set(key, to: value) else {
                throw Flaw(words: "there is no setting \(key) with the value \(value.debugDescription)")
            }
        }
        if let tls = try tls.meaning() { self.tls = tls }
    }

    private mutating func readHosts(_ text: Substring) throws(Flaw) {
        var ports: Set<Int> = []
        for place in text.split(separator: ",", omittingEmptySubsequences: false) {
            var name = place
            // The colons inside an IPv6 address are in brackets.
            if let colon = place.lastIndex(of: ":"), !place[colon...].contains("]") {
                guard let port = Int(place[place.index(after: colon)...]), (1...65_535).contains(port) else {
                    throw Flaw(words: "a port must be a number between 1 and 65535")
                }
                ports.insert(port)
                name = place[..<colon]
            }
            if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
            guard !name.isEmpty else { throw Flaw(words: "a host is missing") }
            self.contactPoints.append(try Self.decoded(name, "a host"))
        }
        guard ports.count <= 1 else { throw Flaw(words: "all hosts must have the same port") }
        if let port = ports.first { self.port = port }
    }

    /// False when there is no such setting, or it has no such value.
    private mutating func set(_ key: String, to value: String) -> Bool {
        func assign<Value>(_ path: WritableKeyPath<CassandraConfiguration, Value>, _ value: Value?) -> Bool {
            guard let value else { return false }
            self[keyPath: path] = value
            return true
        }
        switch key {
        case "table": return assign(\.table, value)
        case "run_tables": return assign(\.runTables, value)
        case "dc": return assign(\.localDataCenter, value)
        case "consistency": return assign(\.consistency, CQLConsistency(name: value))
        case "serial_consistency": return assign(\.serialConsistency, CQLConsistency(name: value))
        case "writes": return assign(\.writes, Writes(rawValue: value))
        case "reads": return assign(\.reads, Reads(rawValue: value))
        case "shards": return assign(\.shards, UInt64(value))
        case "other_shards": return assign(\.otherShards, OtherShards(rawValue: value))
        case "compression":
            guard ["lz4", "none"].contains(value) else { return false }
            self.compression = value == "lz4" ? .lz4 : nil
            return true
        case "connections": return assign(\.connectionsPerNode, Int(value))
        case "max_payload": return assign(\.maximumPayloadByteCount, Int(value))
        case "nanoseconds": return assign(\.writesNanoseconds, Bool(value))
        case "connect_timeout": return assign(\.connectTimeout, SettingText.time(value))
        case "attempt_timeout": return assign(\.attemptTimeout, SettingText.time(value))
        case "write_timeout": return assign(\.writeTimeout, SettingText.time(value))
        case "read_timeout": return assign(\.readTimeout, SettingText.time(value))
        case "busy_poll": return assign(\.busyPolling, SettingText.time(value))
        case "setup_timeout": return assign(\.setupTimeout, SettingText.time(value))
        default: return false
        }
    }

    /// What a URL says about TLS, in settings that stand in any order.
    private struct TLSWords {
        var mode: String?
        var tls = CQLTLSConfiguration()
        var hasDetails = false

        mutating func set(_ key: String, to value: String) -> Bool {
            switch key {
            case "tls":
                self.mode = value
                return ["verify", "verify_ca", "unverified", "off"].contains(value)
            case "ca_file": self.tls.authoritiesFile = value
            case "cert_file": self.tls.certificateFile = value
            case "key_file": self.tls.privateKeyFile = value
            case "tls_name": self.tls.serverName = value
            default: return false
            }
            self.hasDetails = true
            return true
        }

        func meaning() throws(Flaw) -> TLS? {
            var tls = self.tls
            switch self.mode {
            case nil: return self.hasDetails ? .on(tls) : nil
            case "off"?:
                if self.hasDetails { throw Flaw(words: "tls is off, and there are settings that need it") }
                return .off
            case "verify_ca"?: tls.verification = .authorityOnly
            case "unverified"?: tls.verification = .none
            default: break
            }
            return .on(tls)
        }
    }

    private static func decoded(_ text: Substring, _ what: String) throws(Flaw) -> String {
        guard let decoded = SettingText.percentDecoded(text) else {
            throw Flaw(words: "\(what) has a '%' without two hexadecimal digits after it, or is not UTF-8 without NUL")
        }
        return decoded
    }
}
