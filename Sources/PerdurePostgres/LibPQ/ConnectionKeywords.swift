internal import CLibPQ
internal import Glibc
internal import PerdureIO

/// The settings of a connection as libpq takes them: keywords and values.
struct ConnectionKeywords: Sendable {
    private(set) var values: [String: String]

    /// What libpq knows of a keyword from the environment, the service file and its own defaults.
    private struct Known {
        var value: String?
        /// Whether somebody said it, rather than libpq's authors.
        var isSaid: Bool
    }

    private static func environment() -> [String: Known] {
        var all: [String: Known] = [:]
        guard let options = PQconndefaults() else { return all }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            let value = option.pointee.val.map { String(cString: $0) }
            let standard = option.pointee.compiled.map { String(cString: $0) }
            let isInEnvironment = option.pointee.envvar.map { getenv($0) != nil } ?? false
            all[String(cString: keyword)] = Known(
                value: value, isSaid: value != nil && (isInEnvironment || value != standard))
            option += 1
        }
        return all
    }

    /// The keywords that this libpq knows.
    static let known: Set<String> = Set(Self.environment().keys)

    /// The settings of `configuration`, completed from the environment and by our defaults.
    init(_ configuration: PostgresConfiguration) {
        let environment = Self.environment()
        var values: [String: String] = [:]
        for (key, known) in environment where known.isSaid { values[key] = known.value }
        if !configuration.hosts.isEmpty {
            values["hostaddr"] = nil
            values["host"] = configuration.hosts.map(\.name).joined(separator: ",")
            values["port"] = configuration.hosts.map { $0.port.map { String($0) } ?? "5432" }.joined(separator: ",")
        }
        if let database = configuration.database { values["dbname"] = database }
        if let user = configuration.user { values["user"] = user }
        if let password = configuration.password { values["password"] = password }
        if let tls = configuration.tls { values["sslmode"] = tls.rawValue }
        if let file = configuration.tlsRootCertificateFile { values["sslrootcert"] = file }
        values["application_name"] = configuration.applicationName
        values.merge(configuration.parameters) { $1 }
        // A database name may hold a whole connection string, which would undo the rest.
        values["client_encoding"] = "UTF8"
        // Looking for Kerberos' tickets may block; who uses them says so.
        if values["gssencmode"] == nil { values["gssencmode"] = "disable" }
        let hosts = (values["hostaddr"] ?? values["host"] ?? "").split(separator: ",")
        if hosts.count > 1, values["target_session_attrs"] == nil { values["target_session_attrs"] = "read-write" }
        if values["sslmode"] == nil, !hosts.allSatisfy(Self.isThisMachine) {
            values["sslmode"] = "verify-full"
            if values["sslrootcert"] == nil, !Self.hasOwnAuthorities { values["sslrootcert"] = "system" }
        }
        self.values = values
    }

    private static func isThisMachine(_ host: Substring) -> Bool {
        host.hasPrefix("/") || host.hasPrefix("@") || host.hasPrefix("127.") || host == "::1" || host == "localhost"
    }

    private static var hasOwnAuthorities: Bool {
        guard let home = getenv("HOME") else { return false }
        return access(String(cString: home) + "/.postgresql/root.crt", R_OK) == 0
    }

    /// The host names that have to be looked up before libpq is asked to connect.
    var names: [String] {
        guard self.values["hostaddr"] == nil else { return [] }
        return (self.values["host"] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            .filter { !$0.isEmpty && !$0.hasPrefix("/") && !$0.hasPrefix("@") && !HostResolver.isAddress($0) }
    }

    /// Puts the addresses of names in, each host as many times as it has addresses; a name without any is left out.
    mutating func resolve(_ addresses: [String: [String]]) {
        guard let hosts = self.values["host"] else { return }
        let names = hosts.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let ports = (self.values["port"] ?? "5432").split(separator: ",", omittingEmptySubsequences: false).map(
            String.init)
        var places: [(name: String, address: String, port: String)] = []
        for (index, name) in names.enumerated() {
            let port = ports.count == names.count ? ports[index] : ports.first ?? "5432"
            if let addresses = addresses[name] {
                for address in addresses { places.append((name, address, port)) }
            } else {
                // A socket's folder has no address; an address is its own.
                places.append((name, name.hasPrefix("/") || name.hasPrefix("@") ? "" : name, port))
            }
        }
        self.values["host"] = places.map(\.name).joined(separator: ",")
        self.values["hostaddr"] = places.map(\.address).joined(separator: ",")
        self.values["port"] = places.map(\.port).joined(separator: ",")
    }

    var pairs: [(key: String, value: String)] { self.values.map { ($0.key, $0.value) } }
}
