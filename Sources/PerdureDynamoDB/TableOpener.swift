internal import PerdureConcurrency
internal import PerdureIO
internal import PerdureModel
internal import PerdureState

typealias TableOpener = StoreOpener<TableSession>

extension StoreOpener<TableSession> {
    /// Opens the session of a store's table.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when the configuration breaks a rule, with the rule in the message.
    convenience init(
        _ configuration: DynamoDBConfiguration, environment: AWSEnvironment, clock: any PerdureClock
    ) throws(StoreError) {
        if let violation = configuration.violation {
            throw StoreError(.misconfigured, operation: .connect, message: violation)
        }
        self.init("dynamodb", observer: configuration.observer) { tasks in
            await TableSession.open(configuration, environment, clock, lentTo: tasks)
        }
    }

    /// Makes a round trip: reads a key that is never written.
    func ping(_ key: Item) async throws(StoreError) {
        let session = try await self.enter(.ping, reopens: true)
        defer { session.leave() }
        _ = try await session.perform(
            .getItem(table: session.table, key: key, isConsistent: false), .ping, deadline: session.deadline(.ping))
    }
}

extension TableSession {
    fileprivate static func open(
        _ configuration: DynamoDBConfiguration, _ environment: AWSEnvironment, _ clock: any PerdureClock,
        lentTo tasks: StoreExecutor
    ) async -> Result<TableSession, StoreError> {
        let transport: HTTPTransport
        do throws(LoopFailure) {
            transport = try HTTPTransport.start(
                named: "perdure-dynamo",
                TransportSettings(
                    maximumConnections: configuration.maximumConnections, connectTimeout: configuration.connectTimeout,
                    busyPolling: configuration.busyPolling,
                    authoritiesFile: configuration.authoritiesFile), lentTo: tasks)
        } catch {
            return .failure(StoreError(.unavailable, operation: .connect, message: error.description))
        }
        let fetcher = HTTPFetcher(transport: transport, clock: clock)
        let place: ServiceEndpoint
        do throws(StoreError) {
            place = try await ServiceEndpoint.resolve(configuration, environment, fetcher)
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
                environment: environment, fetcher: fetcher, region: place.region, profile: profile,
                fallback: isLocal ? AWSCredentials(accessKeyID: "local", secretAccessKey: "local") : nil)
        }
        let client = DynamoDBClient(
            DynamoDBClient.Settings(
                endpoint: place.endpoint, region: place.region, retries: configuration.retries,
                attemptTimeout: configuration.attemptTimeout, observer: configuration.observer, clock: clock),
            on: transport, credentials: CredentialsCache(source, clock: clock))
        return .success(TableSession(client, on: transport, configuration))
    }
}
