/// How a connection is to be opened and kept.
public struct CQLConnectionConfiguration: Sendable {
    /// The version to ask for; see ``CQLConnectionError/versionRejected(asked:next:)`` for what follows if it is not spoken.
    public var version = CQLVersion.v5
    /// The compression to use if the server supports it.
    public var compression: CQLCompression?
    /// Who we are; nil where the server does not ask.
    public var authenticator: (any CQLAuthenticator)?
    /// The keyspace of table names that do not say theirs; set once the connection is open.
    public var keyspace: String?
    /// The kinds of events to ask for; for the one connection of a program that watches the cluster.
    public var events: [CQLEventKind] = []
    /// What to tell the server of the client; its compression is overwritten by the one agreed on.
    public var startup = CQLStartup(driverName: "PerdureCQL")
    /// How many requests may be in flight at once; 1 to 32 768.
    public var maximumStreams = 32768
    /// How many requests may be abandoned and unanswered before the connection asks to be replaced.
    public var maximumOrphans = 1024
    /// What the connection is willing to hold and to send.
    public var limits = CQLLimits()

    /// Makes a configuration: version 5, no compression, no authentication.
    public init() {}
}

/// Why a connection is over, or was never open.
public enum CQLConnectionError: Error, Sendable, Hashable {
    /// The server does not speak the version: connect again with `next`, or give up where that is nil.
    case versionRejected(asked: CQLVersion, next: CQLVersion?)
    /// The server wants to know who we are (by the class named) and was not told, or asked what cannot be answered.
    case credentialsMissing(authenticator: String)
    /// The server refused to open the connection: a wrong password, a keyspace that does not exist.
    case refused(CQLServerError)
    /// The server did not keep to the protocol.
    case violated(CQLProtocolError)
    /// The connection was not open in time.
    case notOpenInTime
    /// A heartbeat was not answered.
    case silent
    /// It was closed on purpose, after everything in flight was answered.
    case drained
    /// The transport broke, or was closed by the other side.
    case lost
}

extension CQLConnectionError: CustomStringConvertible {
    /// What happened and what to do, without the server's words.
    public var description: String {
        switch self {
        case .versionRejected(let asked, let next?):
            "the server does not speak protocol version \(asked.rawValue); connect with version \(next.rawValue)"
        case .versionRejected(let asked, nil):
            "the server does not speak protocol version \(asked.rawValue), nor any that this client does"
        case .credentialsMissing(let authenticator): "the server wants credentials for \(authenticator)"
        case .refused(let error): "the server refused the connection: \(error)"
        case .violated(let error): "\(error)"
        case .notOpenInTime: "the connection was not open in time"
        case .silent: "the server did not answer a heartbeat"
        case .drained: "the connection was closed on purpose"
        case .lost: "the connection was lost"
        }
    }
}
