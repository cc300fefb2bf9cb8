internal import CCurl
internal import PerdureConcurrency
internal import PerdureIO

/// How connections are made.
struct TransportSettings: Sendable, Equatable {
    /// The most requests under way at once, each on a connection of its own with HTTP/1.1.
    var maximumConnections = 64
    var connectTimeout: Duration = .seconds(3)
    /// How long the loop goes on looking before it sleeps.
    var busyPolling = Duration.zero
    /// The file with the certificates of trusted authorities; nil for the system's.
    var authoritiesFile: String?
}

/// Sends HTTP requests by libcurl, driven by an event loop: one thread, kept connections, one crossing in and one out.
final class HTTPTransport: Sendable {
    /// What other threads leave for the loop.
    private struct Inbox {
        var exchanges: [HTTPExchange] = []
        var isClosed = false
    }

    let loop: EventLoop
    private let tasks: StoreExecutor
    private let inbox = LockedState(Inbox())
    private let multi: LoopBound<MultiHandle>
    private let entry: LoneEntry

    /// Starts a loop of its own.
    ///
    /// Tasks that prefer `tasks` run on it as long as it lasts.
    static func start(
        named name: String, _ settings: TransportSettings, lentTo tasks: StoreExecutor = StoreExecutor()
    ) throws(LoopFailure) -> HTTPTransport {
        try HTTPTransport(on: EventLoop.start(named: name, busyPolling: settings.busyPolling), settings, tasks)
    }

    private init(on loop: EventLoop, _ settings: TransportSettings, _ tasks: StoreExecutor) {
        tasks.lend(loop)
        self.tasks = tasks
        Self.initializeLibrary
        self.loop = loop
        self.entry = LoneEntry(to: loop)
        self.multi = LoopBound(MultiHandle(on: loop, settings, self.entry), on: loop)
    }

    deinit { self.shutDown() }

    /// libcurl wants to be told once, before anything else.
    private static let initializeLibrary: Void = { _ = curl_global_init(CLong(CURL_GLOBAL_DEFAULT)) }()

    /// Sends a request; `receive` is called once, on the loop's thread.
    func send(_ request: HTTPRequest, _ receive: @escaping HTTPExchange.Receiver) {
        let exchange = HTTPExchange(
            request, deadline: self.loop.now + (request.patience ?? request.timeout), receive)
        let (isClosed, isFirst) = self.inbox.withLock { inbox in
            guard !inbox.isClosed else { return (true, false) }
            inbox.exchanges.append(exchange)
            return (false, inbox.exchanges.count == 1)
        }
        if isClosed { return exchange.end(.failure(MultiHandle.shutDown)) }
        if isFirst { self.entry.enter { self.takeIn() } }
    }

    private func takeIn() {
        let exchanges = self.inbox.withLock { inbox in
            let exchanges = inbox.exchanges
            inbox.exchanges = []
            return exchanges
        }
        self.multi.value.start(exchanges)
    }

    /// Ends everything: what is under way fails, connections are closed, the thread ends. Idempotent.
    func shutDown() {
        let waiting = self.inbox.withLock { inbox -> [HTTPExchange]? in
            guard !inbox.isClosed else { return nil }
            inbox.isClosed = true
            defer { inbox.exchanges = [] }
            return inbox.exchanges
        }
        guard let waiting else { return }
        self.tasks.withdraw()
        let (multi, loop) = (self.multi, self.loop)
        loop.perform {
            for exchange in waiting { exchange.end(.failure(MultiHandle.shutDown)) }
            multi.value.shutDown()
            loop.shutDown()
        }
    }
}

/// libcurl's multi handle, the transfers that it runs, and those that wait for a place.
///
/// Belongs to one loop.
private final class MultiHandle {
    static let shutDown = HTTPFailure(
        reason: .shutDown, mayHaveArrived: false, description: "the connection to the service was shut down")

    private let loop: EventLoop
    private let settings: TransportSettings
    private let entry: LoneEntry
    private let sockets: SocketTable
    private var multi: UnsafeMutableRawPointer?
    private var transfers: [Transfer] = []
    private var idle: [Transfer] = []
    private var waiting = FIFO<HTTPExchange>()
    private var places: AdaptivePlaces
    /// When libcurl wants to be called though nothing is ready; nil for never.
    private var due: Duration?
    /// The timer for it. Most requests are done long before, so it is not called off but finds nothing due.
    private var timer: (id: EventLoop.TimerID, deadline: Duration)?
    private var isDue = false
    /// When the earliest deadline is looked at.
    private var deadlineTimer: (id: EventLoop.TimerID, deadline: Duration)?

    init(on loop: EventLoop, _ settings: TransportSettings, _ entry: LoneEntry) {
        self.loop = loop
        self.settings = settings
        self.entry = entry
        self.sockets = SocketTable(on: loop)
        self.places = AdaptivePlaces(most: settings.maximumConnections)
    }

    deinit { if let multi = self.multi { curl_multi_cleanup(multi) } }

    private func open() -> UnsafeMutableRawPointer? {
        if let multi = self.multi { return multi }
        guard let multi = curl_multi_init() else { return nil }
        self.multi = multi
        let this = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_socket(
            multi,
            { _, socket, interest, this, _ in
                if let this {
                    Unmanaged<MultiHandle>.fromOpaque(this).takeUnretainedValue().sockets.update(socket, interest)
                }
                return 0
            }, this)
        ccurl_multi_set_timer(
            multi,
            { _, milliseconds, this in
                if let this {
                    Unmanaged<MultiHandle>.fromOpaque(this).takeUnretainedValue().setTimer(milliseconds)
                }
                return 0
            }, this)
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, CLong(self.settings.maximumConnections))
        self.sockets.act = { [unowned self] socket, events in self.act(socket, events) }
        return multi
    }

    // MARK: Requests

    func start(_ exchanges: [HTTPExchange]) {
        for exchange in exchanges { self.waiting.append(exchange) }
        self.beginWaiting()
        self.runDue()
        // Those that were begun may have to end sooner.
        if let earliest = exchanges.lazy.map(\.deadline).min() { self.watch(earliest) }
    }

    /// Begins what waits as long as there are places.
    private func beginWaiting() {
        while self.transfers.count - self.idle.count < self.places.count, let next = self.waiting.popFirst() {
            self.begin(next)
        }
    }

    private func begin(_ exchange: HTTPExchange) {
        guard let multi = self.open() else {
            return exchange.end(
                .failure(
                    HTTPFailure(reason: .notConnected, mayHaveArrived: false, description: "libcurl is out of memory")))
        }
        if self.idle.isEmpty, self.transfers.count < self.settings.maximumConnections,
            let transfer = Transfer(self.settings, self.sockets)
        {
            self.transfers.append(transfer)
            self.idle.append(transfer)
        }
        guard let transfer = self.idle.popLast() else {
            return exchange.end(
                .failure(
                    HTTPFailure(reason: .notConnected, mayHaveArrived: false, description: "libcurl is out of memory")))
        }
        transfer.load(exchange, at: self.loop.now)
        self.watch(transfer.deadline)
        curl_multi_add_handle(multi, transfer.easy)
    }

    private func act(_ socket: CInt, _ events: CInt) {
        guard let multi = self.multi else { return }
        var running: CInt = 0
        curl_multi_socket_action(multi, socket, events, &running)
        self.collect()
        self.runDue()
    }

    /// Lets libcurl do what it wants done at once.
    private func runDue() {
        // Bounded, should it never have enough; then the loop gets a turn in between.
        for _ in 0..<64 {
            guard self.isDue, let multi = self.multi else { return }
            self.isDue = false
            var running: CInt = 0
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
            self.collect()
        }
        if self.isDue { self.schedule(at: self.loop.now) }
    }

    /// Takes out what is finished, and starts what waits for a place.
    private func collect() {
        guard let multi = self.multi else { return }
        var status = CURLE_OK
        while let easy = ccurl_next_done(multi, &status) {
            guard let this = ccurl_get_private(easy) else { continue }
            let transfer = Unmanaged<Transfer>.fromOpaque(this).takeUnretainedValue()
            curl_multi_remove_handle(multi, easy)
            if status == CURLE_OK, self.idle.count + 1 == self.transfers.count, self.waiting.isEmpty {
                // With a connection kept for it.
                self.entry.expectLoneCaller()
            }
            if status == CURLE_OK { self.places.answered() }
            transfer.finish(status)
            self.release(transfer)
        }
    }

    private func release(_ transfer: Transfer) {
        self.idle.append(transfer)
        self.beginWaiting()
    }

    // MARK: Time

    private func setTimer(_ milliseconds: CLong) {
        self.isDue = milliseconds == 0
        self.due = nil
        if milliseconds > 0 { self.schedule(at: self.loop.now + .milliseconds(milliseconds)) }
    }

    private func schedule(at time: Duration) {
        self.due = time
        if let timer = self.timer {
            if timer.deadline <= time { return }
            self.loop.cancel(timer.id)
        }
        let id = self.loop.schedule(at: time) { [unowned self] in
            self.timer = nil
            guard let due = self.due else { return }
            if due > self.loop.now { return self.schedule(at: due) }
            self.due = nil
            self.isDue = true
            self.runDue()
        }
        self.timer = (id, time)
    }

    /// One timer for the earliest deadline. Most requests are long done when it is due: then it is set for the next.
    private func watch(_ deadline: Duration) {
        if let timer = self.deadlineTimer {
            if timer.deadline <= deadline { return }
            self.loop.cancel(timer.id)
        }
        let id = self.loop.schedule(at: deadline) { [unowned self] in
            self.deadlineTimer = nil
            self.endOverdue()
        }
        self.deadlineTimer = (id, deadline)
    }

    private func endOverdue() {
        guard let multi = self.multi else { return }
        let now = self.loop.now
        var earliest: Duration?
        for exchange in self.waiting.removeAll() {
            guard exchange.deadline <= now else {
                earliest = min(earliest ?? exchange.deadline, exchange.deadline)
                self.waiting.append(exchange)
                continue
            }
            exchange.end(
                .failure(
                    HTTPFailure(reason: .timeout, mayHaveArrived: false, description: "no place was free in time"))
            )
        }
        for transfer in self.transfers {
            guard transfer.exchange != nil, transfer.deadline <= now else { continue }
            self.places.late(begunAt: transfer.begin, now: now)
            curl_multi_remove_handle(multi, transfer.easy)
            transfer.abandon(.timeout, "no answer in time")
            self.release(transfer)
        }
        self.runDue()
        for transfer in self.transfers {
            guard transfer.exchange != nil else { continue }
            earliest = min(earliest ?? transfer.deadline, transfer.deadline)
        }
        if let earliest { self.watch(earliest) }
    }

    // MARK: The end

    func shutDown() {
        while let exchange = self.waiting.popFirst() { exchange.end(.failure(Self.shutDown)) }
        guard let multi = self.multi.take() else { return }
        for transfer in self.transfers where transfer.exchange != nil {
            curl_multi_remove_handle(multi, transfer.easy)
            transfer.abandon(.shutDown, "the connection to the service was shut down")
        }
        self.transfers = []
        self.idle = []
        curl_multi_cleanup(multi)
        if let timer = self.timer.take() { self.loop.cancel(timer.id) }
        if let timer = self.deadlineTimer.take() { self.loop.cancel(timer.id) }
    }
}
