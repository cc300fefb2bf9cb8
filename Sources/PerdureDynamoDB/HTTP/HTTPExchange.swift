/// A request as it is given to the transport.
struct HTTPRequest: Sendable {
    enum Method: String, Sendable { case get = "GET", post = "POST", put = "PUT" }

    var method = Method.post
    var url: String
    var body: ByteBuffer
    /// Writes the header lines when the request is about to be sent: a signature must not age in a queue.
    var headers: @Sendable (HeaderLines) -> Void
    /// How long it may take from when it is sent to the end of its answer.
    var timeout: Duration
    /// How long it may take in all, from being given to the transport; as long as ``timeout`` where it is nil.
    var patience: Duration?
}

/// An answer of a server, lent while it is looked at.
struct HTTPAnswer {
    let status: Int
    /// What it carries, with room behind it for a parser that works in place.
    let body: UnsafeMutableRawBufferPointer
    /// The value of a header, by its name without regard to case.
    let header: (StaticString) -> String?
}

/// Why there is no answer.
struct HTTPFailure: Error, Sendable, CustomStringConvertible {
    enum Reason: Sendable, Equatable {
        /// No connection came about: the name, the port, or the certificate.
        case notConnected
        /// The connection ended, or what came over it was no HTTP.
        case broken
        /// The time was up.
        case timeout
        /// The transport is shut down.
        case shutDown
    }

    let reason: Reason
    /// Whether any of the request may have reached the server.
    let mayHaveArrived: Bool
    let description: String
}

/// A request, and who gets the answer.
final class HTTPExchange: Sendable {
    /// Called once, on the loop's thread.
    typealias Receiver = @Sendable (Result<HTTPAnswer, HTTPFailure>) -> Void

    let request: HTTPRequest
    let deadline: Duration
    private let receive: Receiver

    init(_ request: HTTPRequest, deadline: Duration, _ receive: @escaping Receiver) {
        self.request = request
        self.deadline = deadline
        self.receive = receive
    }

    func end(_ result: Result<HTTPAnswer, HTTPFailure>) { self.receive(result) }
}
