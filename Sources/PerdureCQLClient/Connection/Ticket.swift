internal import PerdureCQL

/// Whose a request on a connection is.
enum Ticket {
    /// A caller's.
    case execution(Execution)
    /// The client's own: preparing a statement, asking about the cluster. Called once, on the loop.
    case own((OwnAnswer) -> Void)
}

/// What came of a request of the client's own.
enum OwnAnswer {
    case message(CQLResponse.Message)
    case failure(CQLFailure)

    init(_ frame: CQLFrame) {
        do throws(CQLProtocolError) {
            let message = try CQLResponse(frame).message
            if case .error(let error) = message {
                self = .failure(.server(error))
            } else {
                self = .message(message)
            }
        } catch {
            self = .failure(.unreadable(error))
        }
    }
}
