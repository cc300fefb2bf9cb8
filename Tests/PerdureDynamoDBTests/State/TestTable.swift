import Glibc
import Peers
import PerdureConcurrency
import PerdureDynamoDB
import PerdureIO
import PerdureModel
import PerdureTestKit

@testable import PerdureDynamoDB

/// The DynamoDB Local that tests run against, as `script/server dynamodb start` prints it.
enum TestServer {
    static let url = getenv("PERDURE_TEST_DYNAMODB").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }

    static func configuration(table: String, endpoint: String? = nil) throws -> DynamoDBConfiguration {
        var configuration = try DynamoDBConfiguration(url: self.url ?? "dynamodb://eu-central-1/none")
        configuration.table = table
        configuration.credentials = .fixed(AWSCredentials(accessKeyID: "test", secretAccessKey: "test"))
        if let endpoint { configuration.endpoint = endpoint }
        // DynamoDB Local shares two cores with everything else that runs here.
        configuration.attemptTimeout = .seconds(20)
        configuration.writeTimeout = .seconds(50)
        configuration.readTimeout = .seconds(50)
        return configuration
    }

    static func randomTable() -> String { "test-\(String(UInt64.random(in: 0 ... .max), radix: 36))" }

    /// Makes a table for `body` and takes it away afterwards.
    static func withTable<Result>(
        _ change: (inout DynamoDBConfiguration) -> Void = { _ in }, _ body: (DynamoDBStore) async throws -> Result
    ) async throws -> Result {
        var configuration = try Self.configuration(table: Self.randomTable())
        change(&configuration)
        let store = try DynamoDBStore(configuration)
        try await store.setup()
        do {
            let result = try await body(store)
            await store.disconnect()
            await Self.drop(configuration.table)
            return result
        } catch {
            await store.disconnect()
            await Self.drop(configuration.table)
            throw error
        }
    }

    static func drop(_ table: String) async {
        _ = try? await RawClient.with { try await $0.perform(.deleteTable(table)) }
    }
}

struct NoEndpoint: Error {}

/// A client of the service below the store: for items as others write them.
struct RawClient: Sendable {
    let client: DynamoDBClient

    func perform<Answer>(_ operation: PerdureDynamoDB.Operation<Answer>) async throws(CallFailure) -> Answer {
        try await self.client.perform(operation, deadline: self.client.now + .seconds(50))
    }

    static func with<Result>(
        endpoint: String? = nil, _ change: (inout DynamoDBClient.Settings) -> Void = { _ in },
        credentials: (any CredentialsSource)? = nil, _ body: (RawClient) async throws -> Result
    ) async throws -> Result {
        let transport = try HTTPTransport.start(named: "raw", .init())
        defer { transport.shutDown() }

        let configuration = try TestServer.configuration(table: "none", endpoint: endpoint)
        guard let parts = configuration.endpoint.flatMap({ URLParts($0) }) else { throw NoEndpoint() }
        var settings = DynamoDBClient.Settings(endpoint: parts, region: configuration.region ?? "eu-central-1")
        settings.attemptTimeout = .seconds(50)
        change(&settings)
        let source =
            credentials ?? FixedCredentials(credentials: AWSCredentials(accessKeyID: "test", secretAccessKey: "test"))
        let client = DynamoDBClient(
            settings, on: transport, credentials: CredentialsCache(source, clock: settings.clock), seed: 1)
        return try await body(RawClient(client: client))
    }
}

/// Stands between a store and the server, and loses what it is told to lose.
final class LossyProxy: Sendable {
    enum Loss: Sendable { case request, answer }

    /// A process's way to the server, which ends for good at one of its changes.
    private struct Life {
        var changesLeft: Int?
        var loss = Loss.request
        var isDead = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    /// What a request suffers that is not simply lost.
    enum Fate: Sendable {
        /// The service does nothing, and says so.
        case refusal(Int, String)
        /// The service does what it is asked for, and says something else.
        case lie(Int, String)
        case lost(Loss)
    }

    private let plan = LockedState<[String: Loss]>([:])
    private let life = LockedState(Life())
    private let fate = LockedState<(@Sendable (ScriptedPeer.Request) -> Fate?)?>(nil)
    /// Of so many in a thousand changes the request or the answer is lost, picked by a generator with a seed.
    private let random = LockedState((generator: SeededGenerator(seed: 0), perMille: 0))
    let peer: ScriptedPeer

    init() throws {
        let endpoint = try TestServer.configuration(table: "none").endpoint ?? ""
        let upstream = Upstream(to: URLParts(endpoint)?.port ?? 0)
        let (plan, random, life, fate) = (self.plan, self.random, self.life, self.fate)
        self.peer = try ScriptedPeer { request in
            switch fate.withLock({ $0 })?(request) {
            case .refusal(let status, let body)?: return .answer(status, body)
            case .lie(let status, let body)?:
                _ = upstream.answer(to: request)
                return .answer(status, body)
            case .lost(let loss)?:
                if loss == .answer { _ = upstream.answer(to: request) }
                return .close
            case nil: break
            }
            let isChange = ["PutItem", "TransactWriteItems", "UpdateItem", "DeleteItem"].contains(request.operation)
            let (isDead, last, waiter) = life.withLock { life -> (Bool, Loss?, CheckedContinuation<Void, Never>?) in
                if life.isDead { return (true, nil, nil) }
                guard isChange, let left = life.changesLeft else { return (false, nil, nil) }
                life.changesLeft = left - 1
                guard left == 1 else { return (false, nil, nil) }
                life.isDead = true
                return (false, life.loss, life.waiter.take())
            }
            defer { waiter?.resume() }
            if isDead || last == .request { return .close }
            if last == .answer {
                _ = upstream.answer(to: request)
                return .close
            }
            let loss =
                !isChange
                ? nil
                : plan.withLock { plan -> Loss? in
                    guard let id = plan.keys.first(where: { request.text.contains($0) }) else {
                        return random.withLock { random in
                            guard Int.random(in: 0..<1_000, using: &random.generator) < random.perMille else {
                                return nil
                            }
                            return Bool.random(using: &random.generator) ? .request : .answer
                        }
                    }
                    return plan.removeValue(forKey: id)
                }
            if loss == .request { return .close }
            guard let answer = upstream.answer(to: request) else { return .close }
            return loss == .answer ? .close : .wholeBytes(answer)
        }
    }

    /// From now on `fate` says what a request suffers; nil for what is to be let through.
    func set(_ fate: (@Sendable (ScriptedPeer.Request) -> Fate?)?) { self.fate.withLock { $0 = fate } }

    /// At the change of this number, from 1, the way to the server ends.
    func die(atChange number: Int, _ loss: Loss) {
        self.life.withLock { life in
            life.changesLeft = number
            life.loss = loss
        }
    }

    var isDead: Bool { self.life.withLock { $0.isDead } }

    /// Waits until the way to the server has ended, or `body` has.
    func waitForDeath(or body: @escaping @Sendable () async -> Void) async {
        await withCheckedContinuation { continuation in
            let isDead = self.life.withLock { life in
                if !life.isDead { life.waiter = continuation }
                return life.isDead
            }
            if isDead { return continuation.resume() }
            Task {
                await body()
                let waiter = self.life.withLock { $0.waiter.take() }
                waiter?.resume()
            }
        }
    }

    func loseAtRandom(perMille: Int, seed: UInt64) {
        self.random.withLock { $0 = (SeededGenerator(seed: seed), perMille) }
    }

    /// The next change of an ID, which must need no escaping in JSON, suffers `loss`.
    func lose(_ loss: Loss, _ id: String) { self.plan.withLock { $0[id] = loss } }
}
