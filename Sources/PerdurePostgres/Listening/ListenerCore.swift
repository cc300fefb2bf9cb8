internal import PerdureConcurrency
internal import PerdureIO
internal import PerdureState

/// The loop's side of a ``PostgresListener``: one connection that listens, and another one after it when it breaks.
///
/// Only on the loop's thread.
final class ListenerCore {
    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let loop: EventLoop
    private let buffer: BoundedBuffer<PostgresListener.Signal>
    private var connection: StoreConnection?
    private var timer: EventLoop.TimerID?
    /// How many times in a row listening failed.
    private var failures = 0
    private var random = SplitMix(seed: .random(in: .min ... .max))
    private var isClosed = false

    init(
        _ configuration: PostgresConfiguration, channels: [String], on loop: EventLoop,
        buffer: BoundedBuffer<PostgresListener.Signal>
    ) {
        self.configuration = configuration
        self.channels = channels
        self.loop = loop
        self.buffer = buffer
    }

    func start() {
        guard !self.isClosed else { return }
        let connection = StoreConnection(self.configuration, on: self.loop)
        self.connection = connection
        connection.notified = { [weak self] channel, payload in
            self?.buffer.push(.notification(channel: channel, payload: payload))
        }
        connection.lost = { [weak self] in self?.failed(ServerFault("the connection broke")) }
        let limit = self.configuration.connectTimeout
        self.setTimer(after: limit) { $0.failed(ServerFault("the server did not answer within \(limit)")) }
        connection.open { [weak self] result in
            switch result {
            case .success: self?.listen()
            case .failure(let fault): self?.failed(fault)
            }
        }
    }

    private func listen() {
        let steps = self.channels.map { channel in
            Exchange.Step(
                statement: Statement(name: "", sql: "LISTEN \(SessionSettings.quoted(channel))"),
                parameters: ParameterBuffer())
        }
        self.connection?.send(
            Exchange(
                steps: steps, deadline: self.loop.now + self.configuration.connectTimeout, receive: { _, _ in },
                finish: { [weak self] end in
                    switch end {
                    case .done:
                        self?.failures = 0
                        self?.buffer.push(.listening)
                        self?.checkLater()
                    case .refused(let fault), .lost(let fault), .notSent(let fault): self?.failed(fault)
                    }
                }))
    }

    /// A connection that nobody sends anything on does not notice that the other side is gone: it is asked now and then.
    private func checkLater() {
        self.stopTimer()
        guard let interval = self.configuration.pool.healthCheckInterval else { return }
        self.setTimer(after: interval) { core in
            core.connection?.check { [weak core] works in
                if works { core?.checkLater() } else { core?.failed(ServerFault("the connection broke")) }
            }
        }
    }

    private func failed(_ fault: ServerFault) {
        guard !self.isClosed else { return }
        self.stopTimer()
        self.connection?.close()
        self.connection = nil
        self.buffer.push(.interrupted(StoreError(fault, operation: .connect)))
        let settings = PoolConfiguration()
        var wait = settings.firstBackOff
        for _ in 0..<min(self.failures, 20) { wait = min(wait * 2, settings.maximumBackOff) }
        self.failures += 1
        self.setTimer(after: wait * Double.random(in: 0.5...1, using: &self.random)) { $0.start() }
    }

    private func setTimer(after wait: Duration, _ action: @escaping (ListenerCore) -> Void) {
        self.stopTimer()
        self.timer = self.loop.schedule(at: self.loop.now + wait) { [weak self] in
            guard let self else { return }
            self.timer = nil
            action(self)
        }
    }

    private func stopTimer() {
        if let timer = self.timer { self.loop.cancel(timer) }
        self.timer = nil
    }

    func close() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.stopTimer()
        self.connection?.close()
        self.connection = nil
        self.buffer.finish()
    }
}
