internal import PerdureIO

/// A connection that is ready for the store's statements: opened, its session set up, its tables found.
///
/// Lives on the loop.
final class StoreConnection: PooledConnection {
    private let loop: EventLoop
    private let configuration: PostgresConfiguration
    private let link: LibPQConnection
    private var isClosed = false

    /// What is known about the tables, as of ``layoutAge``.
    private(set) var layout = TableLayout.Finding.missing
    private(set) var statements: StateStatements?
    /// Which of the store's looks at the tables ``layout`` comes from.
    var layoutAge = 0

    var lost: (() -> Void)?
    /// Gets the notifications of channels that the session listens to.
    var notified: ((_ channel: String, _ payload: String) -> Void)?

    init(_ configuration: PostgresConfiguration, on loop: EventLoop) {
        self.loop = loop
        self.configuration = configuration
        self.link = LibPQConnection(on: loop)
        self.link.noticed = { notice in
            configuration.observer?.observe(
                .serverNotice(
                    store: PostgresStore.name, severity: notice.noticeSeverity, code: notice.state,
                    message: notice.publicWords))
        }
        self.link.notified = { [weak self] in self?.notified?($0, $1) }
        self.link.lost = { [weak self] _ in self?.lost?() }
    }

    static func isPermanent(_ failure: ServerFault) -> Bool { failure.isPermanentForConnecting }

    // MARK: Opening

    func open(_ done: @escaping (Result<Void, ServerFault>) -> Void) {
        let keywords = ConnectionKeywords(self.configuration)
        let names = keywords.names
        guard !names.isEmpty else { return self.connect(keywords, done) }
        let bound = LoopBound(livingOn: self.loop, (connection: self, done: done))
        HostResolver.resolve(names, on: self.loop) { answers in
            let (connection, done) = bound.value
            guard !connection.isClosed else { return }
            var addresses: [String: [String]] = [:]
            var failures: [HostResolver.Failure] = []
            for (name, answer) in zip(names, answers) {
                switch answer {
                case .success(let found): addresses[name] = found
                case .failure(let failure):
                    addresses[name] = []
                    failures.append(failure)
                }
            }
            if let failure = failures.first, failures.count == names.count,
                names.count == connection.configuration.hosts.count
            {
                return done(.failure(ServerFault("\(failure)")))
            }
            var resolved = keywords
            resolved.resolve(addresses)
            connection.connect(resolved, done)
        }
    }

    private func connect(_ keywords: ConnectionKeywords, _ done: @escaping (Result<Void, ServerFault>) -> Void) {
        self.link.open(keywords.pairs) { [weak self] result in
            guard let self else { return }
            switch result {
            case .success: self.setUpSession(done)
            case .failure(let fault): done(.failure(fault))
            }
        }
    }

    /// One round trip: the session's settings, then the tables, which are looked for with them.
    private func setUpSession(_ done: @escaping (Result<Void, ServerFault>) -> Void) {
        var encoding = ""
        let finish: (ExchangeEnd) -> Void = { end in
            switch end {
            case .done where encoding == "UTF8" || encoding == "SQL_ASCII": done(.success(()))
            case .done:
                done(
                    .failure(
                        ServerFault(
                            misconfigured: "the database's encoding is \(encoding); IDs need one of UTF8,"
                                + " made by CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0")))
            case .refused(let fault), .lost(let fault), .notSent(let fault): done(.failure(fault))
            }
        }
        self.link.send(
            Exchange(
                steps: [
                    .init(
                        statement: SessionSettings.statement, parameters: SessionSettings.parameters(self.configuration)
                    ),
                    .init(statement: TableLayout.query, parameters: ParameterBuffer()),
                ],
                deadline: self.loop.now + self.configuration.connectTimeout,
                receive: { [weak self] step, rows in
                    if step == 0 { encoding = rows.text(0, 0) } else { self?.use(TableLayout.Finding(rows)) }
                },
                finish: finish))
    }

    private func use(_ layout: TableLayout.Finding) {
        self.layout = layout
        if case .found(let layout) = layout { self.statements = layout.statements } else { self.statements = nil }
    }

    // MARK: Using

    func send(_ exchange: Exchange) { self.link.send(exchange) }

    /// Looks at the tables again, then says how that ended.
    func findTables(deadline: Duration, _ done: @escaping (ExchangeEnd) -> Void) {
        self.link.send(
            Exchange(
                steps: [.init(statement: TableLayout.query, parameters: ParameterBuffer())], deadline: deadline,
                receive: { [weak self] _, rows in self?.use(TableLayout.Finding(rows)) }, finish: done))
    }

    func check(_ done: @escaping (Bool) -> Void) {
        self.link.send(
            Exchange(
                steps: [.init(statement: Self.ping, parameters: ParameterBuffer())],
                deadline: self.loop.now + self.configuration.connectTimeout, receive: { _, _ in },
                finish: { end in if case .done = end { done(true) } else { done(false) } }))
    }

    static let ping = Statement(name: "perdure_ping", sql: "SELECT 1")

    var isUsable: Bool { self.link.isIdle }

    func close() {
        self.isClosed = true
        self.lost = nil
        self.notified = nil
        self.link.close()
    }
}
