internal import PerdureCQL

// What machines and connections say, in words for people; each is translated here, once.
extension CQLClientError {
    /// A request failed at a node.
    init(_ failure: CQLFailure, outcome: CQLOutcome, node: CQLEndpoint) {
        switch failure {
        case .server(let error):
            self.init(
                error.code == .unauthorized ? .forbidden : .server, outcome: outcome,
                message: "the node \(node) answered: \(error.code)\(Self.details(error)); \(Self.advice(error))",
                serverError: error, node: node)
        case .connectionLost(let wasSent):
            self.init(
                .connectionLost, outcome: outcome,
                message: wasSent
                    ? "the connection to \(node) broke before the answer came"
                    : "the connection to \(node) broke before anything of the request left; it can be sent again",
                node: node)
        case .timeout:
            self.init(.timeout, outcome: outcome, message: "\(node) gave no answer in time", node: node)
        case .unreadable(let error):
            self.init(
                .unreadable, outcome: outcome, message: "the answer of \(node) cannot be read (\(error.code))",
                node: node, underlying: error)
        }
    }

    /// What a server counted, without its words.
    private static func details(_ error: CQLServerError) -> String {
        switch error.details {
        case .unavailable(let consistency, let required, let alive):
            ", \(alive) of \(required) replicas that \(consistency) needs are up"
        case .writeTimeout(let consistency, let received, let required, let type, _):
            ", \(received) of \(required) replicas answered in time (\(consistency), \(type.rawValue))"
        case .readTimeout(let consistency, let received, let required, _),
            .casWriteUnknown(let consistency, let received, let required):
            ", \(received) of \(required) replicas answered in time (\(consistency))"
        case .readFailure(let consistency, let received, let required, let failures, _),
            .writeFailure(let consistency, let received, let required, let failures, _):
            ", \(failures.count) replicas failed, \(received) of \(required) answered (\(consistency))"
        case .none, .functionFailure, .alreadyExists, .unprepared: ""
        }
    }

    private static func advice(_ error: CQLServerError) -> String {
        switch error.code {
        case .unavailable: "see which nodes are down, or ask for fewer replicas"
        case .overloaded, .isBootstrapping, .writeTimeout, .readTimeout, .casWriteUnknown: "try again later"
        case .syntaxError, .invalid, .configError: "mend the statement; the server's words are in serverError"
        case .unauthorized: "grant the user what the statement needs"
        case .badCredentials: "see to the credentials"
        case .alreadyExists: "nothing was changed"
        case .unprepared:
            "the node forgets statements as soon as it learns them; see its size of the prepared statements' cache"
        default: "the server's words are in serverError"
        }
    }

    /// A request cannot be written.
    init(invalid error: any Error, outcome: CQLOutcome = .notApplied) {
        // The reasons of protocol errors name markers, types and sizes, never values.
        let reason = (error as? CQLProtocolError)?.reason ?? "the closure that binds values threw \(type(of: error))"
        self.init(
            .invalidRequest, outcome: outcome, message: "the request cannot be sent: \(reason)", underlying: error)
    }

    /// No contact point can be used.
    init(contactsFailed failures: [(point: String, end: ConnectionEnd)]) {
        let isForbidden = !failures.isEmpty && failures.allSatisfy { $0.end.isForbidden }
        let list = failures.map { "\($0.point): \($0.end.summary)" }.joined(separator: "; ")
        self.init(
            isForbidden ? .forbidden : .unreachable,
            message: "no node of the cluster can be used (\(list.isEmpty ? "no contact point has an address" : list))",
            serverError: failures.lazy.compactMap { $0.end.serverError }.first, underlying: failures.last?.end.error)
    }

    /// The time of a request was over before a node could take it.
    init(unreachable failures: [(point: String, end: ConnectionEnd)], isBusy: Bool, outcome: CQLOutcome) {
        let list = failures.map { "\($0.point): \($0.end.summary)" }.joined(separator: "; ")
        let message =
            isBusy
            ? "every connection had as many requests under way as it may; raise requestsPerConnection or connectionsPerNode"
            : "no node could be reached in time\(list.isEmpty ? "" : " (\(list))")"
        self.init(
            isBusy ? .overloaded : .unreachable, outcome: outcome, message: message,
            underlying: failures.last?.end.error)
    }

    /// No answer came in time.
    static func late(after timeout: Duration, outcome: CQLOutcome, node: CQLEndpoint?) -> CQLClientError {
        let who = node.map { "\($0)" } ?? "the cluster"
        return CQLClientError(
            .timeout, outcome: outcome, message: "\(who) gave no answer within \(timeout)", node: node)
    }

    static func overloaded(_ configuration: CQLClientConfiguration) -> CQLClientError {
        CQLClientError(
            .overloaded,
            message: "\(configuration.maximumWaitingRequests) requests wait already (maximumWaitingRequests)")
    }

    static func noAgreement(_ configuration: CQLClientConfiguration) -> CQLClientError {
        CQLClientError(
            .schemaDisagreement,
            message: "the schema was changed, but not every node that is up had the change within "
                + "\(configuration.schemaAgreementTimeout) (schemaAgreementTimeout)")
    }

    static var cancelled: CQLClientError {
        CQLClientError(.cancelled, message: "the caller's task was cancelled before anything was sent")
    }

    static var disconnected: CQLClientError {
        CQLClientError(.closed, message: "the client was disconnected; call connect() to use it again")
    }
}

extension ConnectionEnd {
    var serverError: CQLServerError? { if case .refused(let error) = self.error { error } else { nil } }

    /// Whether connecting again would end the same way.
    var isForbidden: Bool {
        switch self.error {
        case .credentialsMissing: true
        case .refused(let error): error.code == .badCredentials || error.code == .unauthorized
        default: self.isUntrusted
        }
    }

    /// For people, without the server's words.
    var summary: String {
        switch self.error {
        case .refused(let error) where error.code == .badCredentials: "the server does not accept the credentials"
        default: self.reason ?? "\(self.error)"
        }
    }
}
