/// How connections are protected by TLS: version 1.2 at least.
public struct CQLTLSConfiguration: Sendable, Hashable {
    /// The PEM file with the certificates of the authorities to trust; nil for the system's.
    public var authoritiesFile: String?
    /// The PEM file with our own certificate and those that vouch for it; nil where the server does not ask.
    public var certificateFile: String?
    /// The PEM file with the key of our certificate; needed with ``certificateFile``.
    public var privateKeyFile: String?
    /// The name that certificates of nodes must have; nil for the contact point's name, or the node's address.
    public var serverName: String?
    /// What is verified of a server's certificate.
    public var verification = Verification.full

    /// What is verified of a server's certificate.
    public enum Verification: Sendable, Hashable {
        /// That a trusted authority made it, and that it is for the host.
        case full
        /// That a trusted authority made it: whoever has any certificate of that authority can pretend to be a node.
        case authorityOnly
        /// Nothing: anybody can pretend to be a node. For tests.
        case none
    }

    /// Makes a configuration that trusts the system's authorities, and verifies names.
    public init(
        authoritiesFile: String? = nil, certificateFile: String? = nil, privateKeyFile: String? = nil,
        serverName: String? = nil, verification: Verification = .full
    ) {
        self.authoritiesFile = authoritiesFile
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
        self.serverName = serverName
        self.verification = verification
    }

    var violation: String? {
        (self.certificateFile == nil) == (self.privateKeyFile == nil)
            ? nil : "tls: certificateFile and privateKeyFile go together; one of them is missing"
    }
}
