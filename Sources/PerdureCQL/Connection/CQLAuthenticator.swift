/// Answers a server that wants to know who it talks to.
public protocol CQLAuthenticator: Sendable {
    /// Answers AUTHENTICATE or a challenge.
    ///
    /// - Parameters:
    ///   - challenge: What the server asks; nil at the beginning.
    ///   - authenticator: The name of the server's authenticator, a class of Java.
    /// - Returns: What to send; nil to give up.
    func answer(to challenge: [UInt8]?, of authenticator: String) -> [UInt8]?
}

extension CQLPlainCredentials: CQLAuthenticator {
    /// Sends name and password at the beginning, and where the server asks for the mechanism by name.
    public func answer(to challenge: [UInt8]?, of authenticator: String) -> [UInt8]? {
        guard let challenge else { return self.token }
        return challenge == [UInt8]("PLAIN-START".utf8) ? self.token : nil
    }
}
