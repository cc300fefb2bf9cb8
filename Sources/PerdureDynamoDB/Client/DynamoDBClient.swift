internal import PerdureConcurrency
internal import PerdureIO
internal import PerdureModel
internal import Synchronization

/// Talks to DynamoDB: signs, sends, reads answers, and sends again what failed for a while.
///
/// Knows nothing of states or runs.
final class DynamoDBClient: Sendable {
    /// What a client is made of.
    struct Settings: Sendable {
        /// Where the service is, such as `https://dynamodb.eu-central-1.amazonaws.com`.
        var endpoint: URLParts
        var region: String
        var retries = DynamoDBRetries()
        /// How long one attempt may take.
        var attemptTimeout: Duration = .seconds(3)
        var observer: (any EventObserver)?
        var clock: any PerdureClock = SystemClock()
    }

    let settings: Settings
    private let transport: HTTPTransport
    private let credentials: CredentialsCache
    private let budget: LockedState<RetryBudget>
    private let hasFullBudget = Atomic<Bool>(true)
    private let random: LockedState<SplitMix>
    /// How far the service's clock is ahead of ours, in milliseconds.
    private let skew = Atomic<Int64>(0)
    private let url: String
    private let host: String
    /// What only the loop touches: memory for signing and parsing.
    private let signer: LoopBound<RequestSigner>
    private let scratch: LoopBound<JSONScratch>

    init(
        _ settings: Settings, on transport: HTTPTransport, credentials: CredentialsCache,
        seed: UInt64 = .random(in: 0 ... .max)
    ) {
        self.settings = settings
        self.transport = transport
        self.credentials = credentials
        self.budget = LockedState(RetryBudget(settings.retries))
        self.random = LockedState(SplitMix(seed: seed))
        self.host = settings.endpoint.hostHeader
        self.url = "\(settings.endpoint.isSecure ? "https" : "http")://\(self.host)/"
        self.signer = LoopBound(
            RequestSigner(RequestSigner.Scope(region: settings.region, service: "dynamodb")), on: transport.loop)
        self.scratch = LoopBound(JSONScratch(), on: transport.loop)
    }

    var now: Duration { self.settings.clock.now }

    /// Asks, and asks again as long as it makes sense, until `deadline` by the settings' clock.
    ///
    /// Goes on to its end when the caller's task is cancelled.
    func perform<Answer>(_ operation: Operation<Answer>, deadline: Duration) async throws(CallFailure) -> Answer {
        switch await self.attempt(operation, deadline: deadline) {
        case .success(let answer):
            if !self.hasFullBudget.load(ordering: .relaxed) { self.succeeded(afterRepeating: false) }
            return answer
        case .failure(let failure):
            return try await self.performAgain(operation, deadline: deadline, after: failure)
        }
    }

    private func performAgain<Answer>(
        _ operation: Operation<Answer>, deadline: Duration, after first: CallFailure
    ) async throws(CallFailure) -> Answer {
        var machine = RetryMachine(self.settings.retries, deadline: deadline)
        var failure = first
        while true {
            let now = self.now
            let action = self.budget.withLock { budget in
                defer { self.hasFullBudget.store(budget.isFull, ordering: .relaxed) }
                return machine.failed(failure, isRepeatable: operation.isRepeatable, now: now, budget: &budget)
            }
            var pause = Duration.zero
            switch action {
            case .giveUp:
                failure.mayHaveHappened = machine.mayHaveHappened
                failure.attempts = machine.attempts
                throw failure
            case .pause(upTo: let longest):
                let part = self.random.withLock { Double.random(in: 0...1, using: &$0) }
                pause = longest * part
            case .again:
                switch failure.remedy {
                case .newCredentials: self.credentials.invalidate()
                case .itsTime(let time):
                    self.skew.store(time - self.settings.clock.unixMilliseconds, ordering: .relaxed)
                default: break
                }
            }
            self.settings.observer?.observe(
                .requestRetried(
                    store: "dynamodb", operation: "\(operation.name)", attempt: machine.attempts, after: pause,
                    reason: failure.fault?.name ?? failure.description))
            if pause > .zero { await self.sleep(pause) }
            switch await self.attempt(operation, deadline: deadline) {
            case .success(let answer):
                self.succeeded(afterRepeating: true)
                return answer
            case .failure(let next): failure = next
            }
        }
    }

    private func succeeded(afterRepeating: Bool) {
        self.budget.withLock { budget in
            budget.succeeded(afterRepeating: afterRepeating)
            self.hasFullBudget.store(budget.isFull, ordering: .relaxed)
        }
    }

    /// Waits a while before what a batch left undone is sent again; false when the time would be up by then.
    func pause(_ round: Int, deadline: Duration) async -> Bool {
        let retries = self.settings.retries
        let longest = min(retries.firstPauseWhenThrottled * (1 << min(round - 1, 20)), retries.longestPause)
        let pause = longest * self.random.withLock { Double.random(in: 0...1, using: &$0) }
        return await self.wait(pause, deadline: deadline)
    }

    /// Waits; false, at once, when the time would be up by then.
    func wait(_ pause: Duration, deadline: Duration) async -> Bool {
        guard self.now + pause < deadline else { return false }
        await self.sleep(pause)
        return true
    }

    /// Sleeps whatever becomes of the caller: a write that was begun is brought to its end.
    private func sleep(_ pause: Duration) async {
        let clock = self.settings.clock
        await Task.detached { try? await clock.sleep(for: pause) }.value
    }

    /// Asks once.
    private func attempt<Answer>(
        _ operation: Operation<Answer>, deadline: Duration
    ) async -> Result<Answer, CallFailure> {
        let identity: SigningIdentity
        do throws(CredentialsFailure) {
            identity = try await self.credentials.identity()
        } catch {
            return .failure(CallFailure(cause: .credentials(error), mayHaveHappened: false))
        }
        let left = deadline - self.now
        guard left > .zero else {
            let failure = HTTPFailure(
                reason: .timeout, mayHaveArrived: false, description: "the time was up before it was sent")
            return .failure(CallFailure(cause: .transport(failure), mayHaveHappened: false))
        }
        let request = HTTPRequest(
            url: self.url, body: operation.body,
            headers: { self.writeHeaders(to: $0, operation.name, operation.body, identity) },
            timeout: self.settings.attemptTimeout, patience: left)
        return await withUnsafeContinuation { continuation in
            self.transport.send(request) { continuation.resume(returning: self.read($0, operation)) }
        }
    }

    // MARK: On the loop

    private func writeHeaders(
        to headers: HeaderLines, _ operation: StaticString, _ body: ByteBuffer, _ identity: SigningIdentity
    ) {
        let signer = self.signer.value
        let time = signer.time(
            unixMilliseconds: self.settings.clock.unixMilliseconds + self.skew.load(ordering: .relaxed))
        ServiceHeaders(host: self.host, operation: operation, body: body, identity: identity, time: time)
            .write(to: headers, signer)
    }

    private func read<Answer>(
        _ result: Result<HTTPAnswer, HTTPFailure>, _ operation: Operation<Answer>
    ) -> Result<Answer, CallFailure> {
        let answer: HTTPAnswer
        switch result {
        case .failure(let failure):
            return .failure(CallFailure(cause: .transport(failure), mayHaveHappened: failure.mayHaveArrived))
        case .success(let found): answer = found
        }
        // Before parsing, which changes the bytes.
        if let sum = answer.header("x-amz-crc32").flatMap({ UInt32($0) }),
            sum != CRC32.checksum(UnsafeRawBufferPointer(answer.body))
        {
            return .failure(
                CallFailure(
                    cause: .flaw("the answer's checksum is wrong: it was damaged on its way"), mayHaveHappened: true))
        }
        let scratch = self.scratch.value
        guard answer.status == 200 else {
            let fault = ServiceFault(answer, scratch)
            return .failure(CallFailure(cause: .fault(fault), mayHaveHappened: fault.mayHaveHappened))
        }
        do throws(AnswerFlaw) {
            return .success(
                try scratch.parse(answer.body) { json throws(AnswerFlaw) in
                    if let observer = self.settings.observer { Self.report(json, operation.name, to: observer) }
                    return try operation.decode(json)
                })
        } catch {
            return .failure(CallFailure(cause: .flaw(error.description), mayHaveHappened: true))
        }
    }

    private static func report(_ json: JSONValue, _ operation: StaticString, to observer: any EventObserver) {
        guard let capacity = json["ConsumedCapacity"] else { return }
        func report(_ capacity: JSONValue) {
            guard let units = capacity["CapacityUnits"]?.double else { return }
            observer.observe(
                .capacityConsumed(
                    store: "dynamodb", operation: "\(operation)", table: capacity["TableName"]?.text ?? "", units: units
                ))
        }
        if capacity["TableName"] != nil { return report(capacity) }
        try? capacity.forEachElement { element throws(AnswerFlaw) in report(element) }
    }
}

/// The header lines of a request to DynamoDB, its signature among them.
struct ServiceHeaders {
    static let contentType: StaticString = "application/x-amz-json-1.0"
    static let version: StaticString = "DynamoDB_20120810."

    let host: String
    let operation: StaticString
    let body: ByteBuffer
    let identity: SigningIdentity
    let time: SigningTime

    func write(to headers: HeaderLines, _ signer: RequestSigner) {
        let text = headers.text
        // libcurl would add lines of its own for these.
        text.append("Accept:")
        headers.end()
        if self.body.count > 512 << 10 {
            text.append("Expect:")
            headers.end()
        }
        text.append("Content-Type: ")
        text.append(Self.contentType)
        headers.end()
        text.append("X-Amz-Target: ")
        text.append(Self.version)
        text.append(self.operation)
        headers.end()
        text.append("X-Amz-Date: ")
        self.time.withBytes { text.append($0) }
        headers.end()
        let token = self.identity.credentials.sessionToken
        if let token {
            text.append("X-Amz-Security-Token: ")
            text.append(token)
            headers.end()
        }
        text.append("Authorization: ")
        signer.sign(
            into: text, identity: self.identity, time: self.time,
            names: token == nil
                ? "content-type;host;x-amz-date;x-amz-target"
                : "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
            body: self.body.bytes
        ) { canonical in
            canonical.append("POST\n/\n\ncontent-type:")
            canonical.append(Self.contentType)
            canonical.append("\nhost:")
            canonical.append(self.host)
            canonical.append("\nx-amz-date:")
            self.time.withBytes { canonical.append($0) }
            if let token {
                canonical.append("\nx-amz-security-token:")
                canonical.append(token)
            }
            canonical.append("\nx-amz-target:")
            canonical.append(Self.version)
            canonical.append(self.operation)
            canonical.append(UInt8(ascii: "\n"))
        }
        headers.end()
    }
}
