internal import PerdureConcurrency
internal import PerdureIO
internal import PerdureModel
internal import PerdureState

/// Opens the session of a store's table at its first use, once for all who ask at the time, and closes it.
final class TableOpener: Sendable {
    private enum Phase {
        case idle
        case open(TableSession)
        case closed
    }

    private struct State {
        var phase = Phase.idle
        var opening: Task<Result<TableSession, StoreError>, Never>?
    }

    let configuration: DynamoDBConfiguration
    let clock: any PerdureClock
    /// Runs tasks on the thread of the session that is open.
    let tasks = StoreExecutor()
    private let environment: AWSEnvironment
    private let state = LockedState(State())

    init(
        _ configuration: DynamoDBConfiguration, environment: AWSEnvironment, clock: any PerdureClock
    ) throws(StoreError) {
        if let violation = configuration.violation {
            throw StoreError(.misconfigured, operation: .connect, message: violation)
        }
        self.configuration = configuration
        self.environment = environment
        self.clock = clock
    }

    /// Lets nothing in any more, waits for what is under way, and closes the connections. Idempotent.
    func disconnect() async {
        let (session, opening) = self.state.withLock {
            state -> (TableSession?, Task<Result<TableSession, StoreError>, Never>?) in
            let phase = state.phase
            state.phase = .closed
            if case .open(let session) = phase { return (session, nil) }
            return (nil, state.opening)
        }
        if let session {
            await session.close()
            self.configuration.observer?.observe(.storeDisconnected(store: "dynamodb"))
        }
        // Whoever opens meanwhile finds the store closed, and closes what it has opened.
        _ = await opening?.value
    }

    /// Makes a round trip: reads a key that is never written.
    func ping(_ key: Item) async throws(StoreError) {
        let session = try await self.enter(.ping, reopens: true)
        defer { session.leave() }
        _ = try await session.perform(
            .getItem(table: session.table, key: key, isConsistent: false), .ping, deadline: session.deadline(.ping))
    }

    /// The session to work with, told that an operation more is under way.
    ///
    /// Where `looksAtCancellation` is false the operation begins also for a caller who is cancelled already.
    func enter(
        _ operation: StoreError.Operation, _ id: String? = nil, reopens: Bool = false, looksAtCancellation: Bool = true
    ) async throws(StoreError) -> TableSession {
        if looksAtCancellation, Task.isCancelled {
            throw StoreError(
                .cancelled, operation: operation, persistenceID: id,
                message: "the caller's task was cancelled before anything was sent")
        }
        // Bounded, should others connect and disconnect all the time.
        for _ in 0..<1_000 {
            enum Next { case use(TableSession), wait(Task<Result<TableSession, StoreError>, Never>), closed }
            let next: Next = self.state.withLock { state in
                switch state.phase {
                case .open(let session): return .use(session)
                case .closed:
                    guard reopens else { return .closed }
                    state.phase = .idle
                case .idle: break
                }
                let opening = state.opening ?? Task.detached { await self.open() }
                state.opening = opening
                return .wait(opening)
            }
            switch next {
            case .use(let session): if session.enter() { return session }
            case .wait(let opening):
                do throws(StoreError) { _ = try await opening.value.get() } catch {
                    throw error.with(operation: operation, persistenceID: id)
                }
            case .closed:
                throw StoreError(
                    .closed, operation: operation, persistenceID: id,
                    message: "the store was disconnected; call connect() to use it again")
            }
        }
        throw StoreError(
            .closed, operation: operation, persistenceID: id, message: "the store is being disconnected again and again"
        )
    }

    private func open() async -> Result<TableSession, StoreError> {
        let result = await self.makeSession()
        let isWanted = self.state.withLock { state in
            state.opening = nil
            guard case .success(let session) = result, case .idle = state.phase else { return false }
            state.phase = .open(session)
            return true
        }
        if isWanted {
            self.configuration.observer?.observe(.storeConnected(store: "dynamodb"))
        } else if case .success(let session) = result {
            await session.close()
        }
        return result
    }

    private func makeSession() async -> Result<TableSession, StoreError> {
        let configuration = self.configuration
        let transport: HTTPTransport
        do throws(LoopFailure) {
            transport = try HTTPTransport.start(
                named: "perdure-dynamo",
                TransportSettings(
                    maximumConnections: configuration.maximumConnections, connectTimeout: configuration.connectTimeout,
                    authoritiesFile: configuration.authoritiesFile), lentTo: self.tasks)
        } catch {
            return .failure(StoreError(.unavailable, operation: .connect, message: error.description))
        }
        let fetcher = HTTPFetcher(transport: transport, clock: self.clock)
        let place: ServiceEndpoint
        do throws(StoreError) {
            place = try await ServiceEndpoint.resolve(configuration, self.environment, fetcher)
        } catch {
            transport.shutDown()
            return .failure(error)
        }
        let source: any CredentialsSource
        switch configuration.credentials {
        case .fixed(let credentials): source = FixedCredentials(credentials: credentials)
        case .automatic, .profile:
            var profile: String?
            if case .profile(let name) = configuration.credentials { profile = name }
            let isLocal = URLParts.isLocal(place.endpoint.host)
            source = CredentialsChain(
                environment: self.environment, fetcher: fetcher, region: place.region, profile: profile,
                fallback: isLocal ? AWSCredentials(accessKeyID: "local", secretAccessKey: "local") : nil)
        }
        let client = DynamoDBClient(
            DynamoDBClient.Settings(
                endpoint: place.endpoint, region: place.region, retries: configuration.retries,
                attemptTimeout: configuration.attemptTimeout, observer: configuration.observer, clock: self.clock),
            on: transport, credentials: CredentialsCache(source, clock: self.clock))
        return .success(TableSession(client, on: transport, configuration))
    }
}
