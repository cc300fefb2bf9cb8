internal import PerdureModel
public import PerdureState

extension PostgresConfiguration {
    /// Reads `postgres://user:password@host:port,host:port/database?setting=value&…`.
    ///
    /// Settings are `schema`; `pool_min_conns`, `pool_max_conns`, `pool_max_conn_lifetime`, `pool_max_conn_idle_time`,
    /// `pool_health_check_period`, `pool_max_write_batches`; `connect_timeout`, `write_timeout`, `read_timeout`, `busy_poll`; and every keyword
    /// of libpq. Times are written `90s`, `500ms`, `10m`, `1h`, or as plain seconds; `0` means never where there is a never.
    /// What needs it is percent-encoded; a host that begins with `/` or `%2F` is the folder of a local socket.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` that says which part is wrong; the password is not in it.
    public init(url: String) throws(StoreError) {
        self.init()
        do {
            try self.read(url)
        } catch {
            throw StoreError(
                .misconfigured, operation: .connect, message: "the PostgreSQL URL cannot be used: \(error.reason)")
        }
        if let violation = self.violation {
            throw StoreError(
                .misconfigured, operation: .connect, message: "the PostgreSQL URL cannot be used: \(violation)")
        }
    }

    private struct Flaw: Error { let reason: String }

    private mutating func read(_ url: String) throws(Flaw) {
        var rest = url[...]
        guard let scheme = ["postgres://", "postgresql://"].first(where: { url.hasPrefix($0) }) else {
            throw Flaw(reason: "it must begin with postgres://")
        }
        rest = rest.dropFirst(scheme.count)
        var settings = ""[...]
        if let mark = rest.firstIndex(of: "?") {
            settings = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        }
        if let slash = rest.firstIndex(of: "/") {
            let name = try Self.decoded(rest[rest.index(after: slash)...], "the database")
            if !name.isEmpty { self.database = name }
            rest = rest[..<slash]
        }
        if let sign = rest.lastIndex(of: "@") {
            let login = rest[..<sign].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if let user = login.first, !user.isEmpty { self.user = try Self.decoded(user, "the user") }
            if login.count == 2 { self.password = try Self.decoded(login[1], "the password") }
            rest = rest[rest.index(after: sign)...]
        }
        for place in rest.split(separator: ",") { self.hosts.append(try Self.host(place)) }
        for setting in settings.split(separator: "&") {
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Flaw(reason: "the setting \(parts[0]) has no value") }
            let key = try Self.decoded(parts[0], "a setting")
            try self.set(key, to: try Self.decoded(parts[1], "the setting \(key)"))
        }
    }

    private static func host(_ place: Substring) throws(Flaw) -> Host {
        guard let (name, port) = SettingText.place(place) else {
            throw Flaw(reason: "the port must be a number between 1 and 65535")
        }
        return Host(try Self.decoded(name, "a host"), port: port)
    }

    private mutating func set(_ key: String, to value: String) throws(Flaw) {
        switch key {
        case "schema": self.schema = value
        case "pool_min_conns": self.pool.minimumConnections = try Self.number(value, key)
        case "pool_max_conns": self.pool.maximumConnections = try Self.number(value, key)
        case "pool_max_write_batches": self.pool.maximumWriteBatches = try Self.number(value, key)
        case "pool_max_conn_lifetime": self.pool.connectionLifetime = try Self.timeOrNever(value, key)
        case "pool_max_conn_idle_time": self.pool.connectionIdleTime = try Self.timeOrNever(value, key)
        case "pool_health_check_period": self.pool.healthCheckInterval = try Self.timeOrNever(value, key)
        case "connect_timeout": self.connectTimeout = try Self.time(value, key)
        case "write_timeout": self.writeTimeout = try Self.time(value, key)
        case "read_timeout": self.readTimeout = try Self.time(value, key)
        case "busy_poll": self.busyPolling = try Self.time(value, key)
        case "application_name": self.applicationName = value
        case "sslrootcert": self.tlsRootCertificateFile = value
        case "sslmode":
            guard let mode = TLSMode(rawValue: value) else {
                throw Flaw(reason: "sslmode is one of disable, allow, prefer, require, verify-ca, verify-full")
            }
            self.tls = mode
        case "user": self.user = value
        case "password": self.password = value
        case "dbname": self.database = value
        case "host":
            self.hosts = value.split(separator: ",").map { Host(String($0), port: self.hosts.first?.port) }
        case "port":
            let port = try Self.number(value, key)
            if self.hosts.isEmpty { self.parameters["port"] = value }
            for index in self.hosts.indices { self.hosts[index].port = port }
        default:
            guard ConnectionKeywords.known.contains(key) else {
                throw Flaw(reason: "there is no setting \(key)")
            }
            self.parameters[key] = value
        }
    }

    private static func number(_ text: String, _ key: String) throws(Flaw) -> Int {
        guard let number = Int(text) else { throw Flaw(reason: "\(key) must be a whole number") }
        return number
    }

    private static func time(_ text: String, _ key: String) throws(Flaw) -> Duration {
        guard let time = SettingText.time(text) else { throw Flaw(reason: "\(key) must be \(SettingText.timeRule)") }
        return time
    }

    private static func timeOrNever(_ text: String, _ key: String) throws(Flaw) -> Duration? {
        let time = try Self.time(text, key)
        return time == .zero ? nil : time
    }

    private static func decoded(_ text: Substring, _ part: String) throws(Flaw) -> String {
        guard let decoded = SettingText.percentDecoded(text) else {
            throw Flaw(
                reason: "\(part) has a % that is not followed by two hexadecimal digits, or is not UTF-8 without NUL")
        }
        return decoded
    }
}
