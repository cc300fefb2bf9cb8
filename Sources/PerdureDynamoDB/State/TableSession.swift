internal import PerdureConcurrency
internal import PerdureModel
internal import PerdureState

/// What is open while a store is connected: a client of one table, and the count of what is under way.
///
/// The operations of the contract are extensions of it: reading, writing, deleting, listing, setting up.
final class TableSession: Sendable {
    private struct Usage {
        var count = 0
        var isClosed = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    let client: DynamoDBClient
    let table: String
    let configuration: DynamoDBConfiguration
    let writeIDs = WriteIDGenerator()
    private let transport: HTTPTransport
    private let usage = LockedState(Usage())

    init(_ client: DynamoDBClient, on transport: HTTPTransport, _ configuration: DynamoDBConfiguration) {
        self.client = client
        self.transport = transport
        self.table = configuration.table
        self.configuration = configuration
    }

    var reportsCapacity: Bool { self.configuration.observer != nil }

    /// One more operation is under way; false when the session is closed.
    func enter() -> Bool {
        self.usage.withLock { usage in
            guard !usage.isClosed else { return false }
            usage.count += 1
            return true
        }
    }

    /// One fewer.
    func leave() {
        let waiter = self.usage.withLock { usage -> CheckedContinuation<Void, Never>? in
            usage.count -= 1
            return usage.count == 0 ? usage.waiter.take() : nil
        }
        waiter?.resume()
    }

    /// Lets nothing in any more, waits for what is under way, and closes the connections.
    func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = self.usage.withLock { usage in
                usage.isClosed = true
                if usage.count > 0, usage.waiter == nil {
                    usage.waiter = continuation
                    return false
                }
                return true
            }
            if isIdle { continuation.resume() }
        }
        self.transport.shutDown()
    }

    func deadline(_ operation: StoreError.Operation) -> Duration {
        let time =
            switch operation {
            case .write, .delete: self.configuration.writeTimeout
            case .setup: self.configuration.setupTimeout
            default: self.configuration.readTimeout
            }
        return self.client.now + time
    }

    /// Sends a request for an operation of the contract.
    func perform<Answer>(
        _ request: Operation<Answer>, _ operation: StoreError.Operation, of id: String? = nil, deadline: Duration
    ) async throws(StoreError) -> Answer {
        do throws(CallFailure) {
            return try await self.client.perform(request, deadline: deadline)
        } catch {
            throw error.storeError(operation, of: id)
        }
    }
}
