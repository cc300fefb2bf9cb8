internal import PerdureModel

/// What a fault means for who asked, by its SQLSTATE.
extension ServerFault {
    /// A fault that we found ourselves, of a server that is set up wrongly.
    init(misconfigured message: String) {
        self.init(message)
        self.state = Self.ownMisconfiguration
    }

    private static let ownMisconfiguration = "PD001"

    /// What to do about a statement that the server refused.
    ///
    /// Its transaction is undone.
    enum Remedy {
        /// The same again may succeed.
        case repeatIt
        /// The same again on another connection may succeed: this one's session, or this server, is not what we need.
        case reconnect
        /// One of the rows is to blame: the others succeed without it.
        case separate
        /// It is no use.
        case giveUp
    }

    var remedy: Remedy {
        switch self.state {
        // Serialization failure, deadlock.
        case "40001", "40P01": .repeatIt
        // A lock that somebody else holds on some row.
        case "55P03": .separate
        // Stopped at its deadline, or by an administrator.
        case "57014": .repeatIt
        // Read-only, prepared statement unknown or known already, plan outdated, server starting, out of memory.
        case "25006", "26000", "42P05", "0A000", "57P03", "53200": .reconnect
        default:
            switch self.state.prefix(2) {
            // Data, constraints, limits, triggers: of the row.
            case "22", "23", "54", "P0", "44", "27": .separate
            case "08": .reconnect
            default: .giveUp
            }
        }
    }

    /// Whether so many attempts are enough, whatever time is left.
    ///
    /// A server that only lets us read is given a moment to fail over; nothing else is known to be hopeless.
    func isHopeless(after attempts: Int) -> Bool { self.state == "25006" && attempts >= 4 || attempts >= 1_000 }

    /// Whether somebody else's lock was in the way for too long.
    var isLock: Bool { self.state == "55P03" }

    /// Whether connecting again cannot help, as far as one can know.
    var isPermanentForConnecting: Bool {
        switch self.state {
        case "28P01", "28000", "3D000", "42501", Self.ownMisconfiguration: return true
        case "": break
        default: return false
        }
        // libpq tells these only in words, and keeps them over its releases.
        return Self.permanentPhrases.contains { self.message.containsIgnoringCase($0) }
    }

    private static let permanentPhrases = [
        "no password supplied", "certificate verify failed", "does not match host name", "root certificate",
        "server does not support SSL", "invalid sslmode", "invalid port number", "invalid connection option",
        "certificate file",
    ]

    var code: StoreError.Code {
        switch self.state {
        case "25006", "28P01", "28000", "42501": return .forbidden
        case "3D000", "3F000", "42P01", "42703", "42883", "42704", Self.ownMisconfiguration: return .misconfigured
        case "53100": return .full
        case "53300", "53400": return .throttled
        case "57014": return .timeout
        case "": return self.codeByWords
        default: break
        }
        switch self.state.prefix(2) {
        case "08", "53", "57", "58", "40", "55": return .unavailable
        case "22", "23", "54", "44": return .invalidRequest
        case "28": return .forbidden
        case "XX": return .corrupted
        default: return .internalError
        }
    }

    /// What libpq itself found.
    private var codeByWords: StoreError.Code {
        if self.message.containsIgnoringCase("no password supplied") { return .forbidden }
        if Self.permanentPhrases.contains(where: { self.message.containsIgnoringCase($0) }) { return .misconfigured }
        if self.message.containsIgnoringCase("read-only") { return .forbidden }
        return .unavailable
    }

    /// What to do, in words, where we know.
    var advice: String? {
        switch self.state {
        case "25006": return "the server only lets us read: it is a standby, or was made read-only"
        case "42P01", "42703": return "create or migrate the tables with setup()"
        case "42501": return "grant the role the rights it lacks"
        case "53100": return "make room on the server's disk"
        case "53300": return "allow the server more connections, or the pool fewer"
        case "28P01": return "check user and password"
        case "3D000": return "create the database, or name another"
        case "57014": return "it was stopped at its deadline or by an administrator"
        case "55P03": return "another transaction holds a lock on the row"
        default: return nil
        }
    }

    /// Everything worth telling to the people who run the service: no values of rows.
    ///
    /// The server's detail is left out where it may quote a row's contents.
    var words: String {
        var words = self.message
        if !self.state.isEmpty, !self.state.hasPrefix("PD") { words += " (SQLSTATE \(self.state))" }
        if let hint = self.hint { words += "; hint: \(hint)" }
        if let advice = self.advice { words += "; \(advice)" }
        return words
    }
}

extension String {
    /// By ASCII case, byte by byte.
    fileprivate func containsIgnoringCase(_ part: String) -> Bool {
        func lower(_ text: String) -> [UInt8] { text.utf8.map { (65...90).contains($0) ? $0 + 32 : $0 } }
        let (whole, part) = (lower(self), lower(part))
        guard part.count <= whole.count else { return false }
        return (0...(whole.count - part.count)).contains { start in
            whole[start..<(start + part.count)].elementsEqual(part)
        }
    }
}
