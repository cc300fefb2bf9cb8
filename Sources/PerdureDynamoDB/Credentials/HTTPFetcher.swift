internal import PerdureConcurrency
internal import PerdureIO
internal import PerdureModel

/// Asks the services that give credentials; each request for itself, with a few tries.
struct HTTPFetcher: Sendable {
    let transport: HTTPTransport
    let clock: any PerdureClock

    struct Answer: Sendable {
        var status: Int
        var text: String
    }

    /// Sends a request, up to three times as long as there is no answer or the service fails.
    func fetch(
        _ method: HTTPRequest.Method, _ url: String, body: String = "", timeout: Duration = .seconds(2),
        attempts: Int = 3,
        headers: @escaping @Sendable (HeaderLines, ByteBuffer) -> Void = { _, _ in }
    ) async throws(CredentialsFailure) -> Answer {
        guard URLParts(url) != nil else {
            throw CredentialsFailure(isTransient: false, description: "\(url.debugDescription) is no http or https URL")
        }
        let bytes = ByteBuffer()
        bytes.append(body)
        var last = "no answer"
        for attempt in 1...max(1, attempts) {
            let request = HTTPRequest(
                method: method, url: url, body: bytes, headers: { headers($0, bytes) }, timeout: timeout)
            let result: Result<Answer, HTTPFailure> = await withCheckedContinuation { continuation in
                self.transport.send(request) { result in
                    continuation.resume(
                        returning: result.map {
                            Answer(status: $0.status, text: String(decoding: $0.body, as: UTF8.self))
                        })
                }
            }
            switch result {
            case .success(let answer) where answer.status < 500 && answer.status != 429: return answer
            case .success(let answer): last = "status \(answer.status)"
            case .failure(let failure): last = failure.description
            }
            if attempt < attempts { try? await self.clock.sleep(for: .milliseconds(100 * attempt)) }
        }
        throw CredentialsFailure(isTransient: true, description: "\(URLParts(url)?.host ?? url): \(last)")
    }
}
