/// A name and a password, for servers with `PasswordAuthenticator`.
public struct CQLPlainCredentials: Sendable, Hashable {
    /// The user's name.
    public var username: String
    /// The password.
    public var password: String

    /// Makes credentials.
    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }

    /// What AUTH_RESPONSE carries: SASL's mechanism PLAIN (RFC 4616), acting as oneself.
    public var token: [UInt8] { [0] + [UInt8](self.username.utf8) + [0] + [UInt8](self.password.utf8) }
}

extension CQLPlainCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The name only.
    public var description: String { "credentials of \(self.username)" }
    /// The name only.
    public var debugDescription: String { self.description }
    /// Hides the password from `dump` too.
    public var customMirror: Mirror { Mirror(self, children: ["username": self.username]) }
}
