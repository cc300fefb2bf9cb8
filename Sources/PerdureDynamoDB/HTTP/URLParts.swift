internal import PerdureModel

/// The parts of an `http` or `https` URL.
struct URLParts: Equatable, Sendable {
    let isSecure: Bool
    /// Without the brackets of an IPv6 address.
    let host: String
    let port: Int?
    /// Begins with `/`; the query included.
    let path: String

    /// Reads a URL; nil when it is none.
    init?(_ url: String) {
        let rest: Substring
        if url.hasPrefix("https://") {
            self.isSecure = true
            rest = url.dropFirst(8)
        } else if url.hasPrefix("http://") {
            self.isSecure = false
            rest = url.dropFirst(7)
        } else {
            return nil
        }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let path = rest[end...]
        self.path = path.hasPrefix("/") ? String(path) : "/\(path)"
        guard !rest[..<end].contains("@"), let (place, port) = SettingText.place(rest[..<end]) else { return nil }
        guard !place.isEmpty, place.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        self.host = String(place)
        self.port = port
    }

    /// What goes into the `Host` header: the port only where it is not the scheme's own.
    var hostHeader: String {
        let name = self.host.contains(":") ? "[\(self.host)]" : self.host
        guard let port = self.port, port != (self.isSecure ? 443 : 80) else { return name }
        return "\(name):\(port)"
    }

    /// Whether a host is this machine, or an address that only this machine can reach.
    static func isLocal(_ host: String) -> Bool {
        host == "localhost" || host.hasPrefix("127.") || host == "::1" || host.hasPrefix("169.254.")
            || host == "fd00:ec2::23" || host == "fd00:ec2::254"
    }
}
