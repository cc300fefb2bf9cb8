internal import PerdureModel
internal import PerdureState

/// What is open while a store is connected: a client of one table.
///
/// The operations of the contract are extensions of it: reading, writing, deleting, listing, setting up.
final class TableSession: StoreSession {
    let client: DynamoDBClient
    let table: String
    let configuration: DynamoDBConfiguration
    let writeIDs = WriteIDGenerator()
    let use = SessionUse()
    private let transport: HTTPTransport

    init(_ client: DynamoDBClient, on transport: HTTPTransport, _ configuration: DynamoDBConfiguration) {
        self.client = client
        self.transport = transport
        self.table = configuration.table
        self.configuration = configuration
    }

    var reportsCapacity: Bool { self.configuration.observer != nil }

    /// Closes the connections.
    func end() async { self.transport.shutDown() }

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
