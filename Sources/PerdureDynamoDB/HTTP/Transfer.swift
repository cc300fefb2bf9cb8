internal import CCurl
internal import Glibc

/// One of libcurl's easy handles with the memory of the request that it carries; used for one request after another.
///
/// Belongs to the transport's loop.
final class Transfer {
    /// The largest answer that is taken: DynamoDB's own limit is 16 MB, before base64.
    static let maximumAnswerByteCount = 64 << 20

    let easy: UnsafeMutableRawPointer
    let headers = HeaderLines()
    /// What is carried at the moment.
    var exchange: HTTPExchange?
    /// When it was begun, and when its time is up.
    private(set) var begin = Duration.zero
    private(set) var deadline = Duration.zero
    /// Who is told when a socket that this transfer opened is closed.
    private unowned let sockets: SocketTable

    private var answer: UnsafeMutableRawPointer
    private var answerCount = 0
    private var answerCapacity = 8 << 10
    /// How often libcurl set about sending the request: a second time means that a connection was lost under the first.
    private var sendings = 0
    private var url: String?
    private var method: HTTPRequest.Method?

    init?(_ settings: TransportSettings, _ sockets: SocketTable) {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        self.sockets = sockets
        self.answer = .allocate(byteCount: self.answerCapacity, alignment: 16)
        let this = Unmanaged.passUnretained(self).toOpaque()
        ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        ccurl_set_pointer(easy, CURLOPT_PRIVATE, this)
        ccurl_set_pointer(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, CLong(settings.connectTimeout.wholeMilliseconds))
        ccurl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
        ccurl_set_long(easy, CURLOPT_HTTP_VERSION, CLong(CURL_HTTP_VERSION_2TLS))
        if let file = settings.authoritiesFile { ccurl_set_pointer(easy, CURLOPT_CAINFO, file) }
        ccurl_set_write(
            easy,
            { bytes, size, count, this in
                guard let bytes, let this else { return 0 }
                return Unmanaged<Transfer>.fromOpaque(this).takeUnretainedValue().received(bytes, size * count)
            }, this)
        ccurl_set_before_request(
            easy,
            { this, _, _, _, _ in
                guard let this else { return CURL_PREREQFUNC_ABORT }
                return Unmanaged<Transfer>.fromOpaque(this).takeUnretainedValue().aboutToSend()
            }, this)
        // The socket may be closed long after this transfer is gone; the table lives as long as the multi handle.
        ccurl_set_close_socket(
            easy,
            { table, socket in
                if let table { Unmanaged<SocketTable>.fromOpaque(table).takeUnretainedValue().closing(socket) }
                return close(socket)
            }, Unmanaged.passUnretained(sockets).toOpaque())
    }

    deinit {
        curl_easy_cleanup(self.easy)
        self.answer.deallocate()
    }

    /// Readies the handle for a request.
    func load(_ exchange: HTTPExchange, at now: Duration) {
        let request = exchange.request
        self.exchange = exchange
        self.begin = now
        self.deadline = min(exchange.deadline, now + request.timeout)
        self.answerCount = 0
        self.sendings = 0
        if self.url != request.url {
            self.url = request.url
            ccurl_set_pointer(self.easy, CURLOPT_URL, request.url)
            // Never through a proxy: what is on this machine or beside it, where a proxy could not reach it.
            let host = URLParts(request.url)?.host ?? ""
            ccurl_set_pointer(self.easy, CURLOPT_NOPROXY, URLParts.isLocal(host) ? "*" : nil)
        }
        if self.method != request.method {
            self.method = request.method
            switch request.method {
            case .get:
                ccurl_set_pointer(self.easy, CURLOPT_CUSTOMREQUEST, nil)
                ccurl_set_long(self.easy, CURLOPT_HTTPGET, 1)
            case .post, .put:
                ccurl_set_long(self.easy, CURLOPT_POST, 1)
                ccurl_set_pointer(self.easy, CURLOPT_CUSTOMREQUEST, request.method == .put ? "PUT" : nil)
            }
        }
        if request.method != .get {
            ccurl_set_pointer(self.easy, CURLOPT_POSTFIELDS, request.body.start)
            ccurl_set_offset(self.easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
        }
        self.headers.removeAll()
        request.headers(self.headers)
        ccurl_set_pointer(self.easy, CURLOPT_HTTPHEADER, self.headers.list)
    }

    /// Ends the exchange: hands on the answer or what went wrong. The handle must be out of the multi handle.
    func finish(_ status: CURLcode) {
        guard let exchange = self.exchange.take() else { return }
        if status == CURLE_OK {
            let answer = HTTPAnswer(
                status: ccurl_get_long(self.easy, CURLINFO_RESPONSE_CODE),
                body: UnsafeMutableRawBufferPointer(start: self.answer, count: self.answerCount),
                header: { name in
                    ccurl_header(
                        self.easy, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
                    ).map { String(cString: $0) }
                })
            exchange.end(.success(answer))
        } else {
            exchange.end(.failure(self.failure(status)))
        }
    }

    /// Ends the exchange without an answer.
    func abandon(_ reason: HTTPFailure.Reason, _ words: String) {
        guard let exchange = self.exchange.take() else { return }
        exchange.end(.failure(HTTPFailure(reason: reason, mayHaveArrived: self.mayHaveArrived, description: words)))
    }

    private var mayHaveArrived: Bool { self.sendings > 0 }

    private func failure(_ status: CURLcode) -> HTTPFailure {
        let words = String(cString: curl_easy_strerror(status))
        switch status {
        case CURLE_OPERATION_TIMEDOUT where !self.mayHaveArrived:
            return HTTPFailure(reason: .notConnected, mayHaveArrived: false, description: "no connection in time")
        case CURLE_OPERATION_TIMEDOUT:
            return HTTPFailure(reason: .timeout, mayHaveArrived: true, description: words)
        case CURLE_ABORTED_BY_CALLBACK:
            return HTTPFailure(
                reason: .broken, mayHaveArrived: true, description: "the connection was closed before an answer came")
        default:
            return HTTPFailure(
                reason: self.mayHaveArrived ? .broken : .notConnected, mayHaveArrived: self.mayHaveArrived,
                description: words)
        }
    }

    private func aboutToSend() -> CInt {
        self.sendings += 1
        // libcurl would send again by itself what it lost on a connection that it had kept. Whether to send again is for those
        // to decide who know what the request does.
        return self.sendings == 1 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }

    private func received(_ bytes: UnsafeMutablePointer<CChar>, _ count: Int) -> Int {
        let needed = self.answerCount + count + JSONScratch.padding
        if needed > self.answerCapacity {
            guard self.answerCount + count <= Self.maximumAnswerByteCount else { return 0 }
            let capacity = max(self.answerCapacity * 2, needed)
            let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
            larger.copyMemory(from: self.answer, byteCount: self.answerCount)
            self.answer.deallocate()
            (self.answer, self.answerCapacity) = (larger, capacity)
        }
        (self.answer + self.answerCount).copyMemory(from: bytes, byteCount: count)
        self.answerCount += count
        return count
    }
}

extension Duration {
    /// In whole milliseconds, rounded up; never negative.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        guard seconds < 1 << 40 else { return 1 << 50 }
        return max(0, seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
