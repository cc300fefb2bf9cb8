/// What requests to AWS are signed with.
public struct AWSCredentials: Sendable, Hashable {
    /// The public half, which names the key.
    public var accessKeyID: String
    /// The secret half.
    public var secretAccessKey: String
    /// The token that comes with temporary credentials; nil for a user's own.
    public var sessionToken: String?
    /// When they end, in Unix milliseconds; nil for never.
    public var expiration: Int64?

    /// Makes credentials of their parts.
    public init(
        accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expiration: Int64? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
    }
}

extension AWSCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The key's name; never the secret or the token.
    public var description: String {
        let kind = self.sessionToken == nil ? "" : ", temporary"
        return "AWSCredentials(\(self.accessKeyID)\(kind))"
    }

    /// The same as ``description``.
    public var debugDescription: String { self.description }

    /// Shows only the key's name, so that no dump has the secret.
    public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": self.accessKeyID]) }
}

/// Credentials as an object: to see at a glance whether they are the ones that a signing key was made of.
final class SigningIdentity: Sendable {
    let credentials: AWSCredentials
    init(_ credentials: AWSCredentials) { self.credentials = credentials }
}
