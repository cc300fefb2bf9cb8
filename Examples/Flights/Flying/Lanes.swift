import PerdureState

/// Carries rows to their logbooks: many at a time, those of one logbook in the order of the file.
///
/// A logbook always has the same lane, and a lane waits for each answer before it sends the next row. The rows on their way are
/// bounded, so a file of any length needs the same memory.
struct Lanes: Sendable {
    /// How many rows are read and not answered yet, in all lanes together.
    static let capacity = 4_096

    typealias Parcel = (id: String, flight: Flight)

    private let lanes: [(rows: AsyncStream<Parcel>, entrance: AsyncStream<Parcel>.Continuation)]
    private let places: (free: AsyncStream<Void>, entrance: AsyncStream<Void>.Continuation)

    /// - Parameter count: how many rows are sent at the same time.
    init(count: Int) {
        self.lanes = (0..<count).map { _ in
            let (rows, entrance) = AsyncStream.makeStream(of: Parcel.self)
            return (rows, entrance)
        }
        let (free, entrance) = AsyncStream.makeStream(of: Void.self)
        self.places = (free, entrance)
        for _ in 0..<Self.capacity { entrance.yield() }
    }

    /// Calls `feed` with what puts a row into its lane, and `deliver` with each row; returns when all were delivered.
    ///
    /// The first error ends everything.
    func run(
        feed: @escaping @Sendable (inout Entrance) async throws -> Void,
        deliver: @escaping @Sendable (Parcel) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in self.lanes {
                group.addTask {
                    for await parcel in lane.rows {
                        try await deliver(parcel)
                        self.places.entrance.yield()
                    }
                }
            }
            group.addTask {
                var entrance = Entrance(lanes: self.lanes.map(\.entrance), places: self.places.free.makeAsyncIterator())
                try await feed(&entrance)
                for lane in self.lanes { lane.entrance.finish() }
            }
            // Not waitForAll(), which would wait for the other lanes after an error.
            while try await group.next() != nil {}
        }
    }

    /// Where rows come in.
    struct Entrance {
        fileprivate let lanes: [AsyncStream<Parcel>.Continuation]
        fileprivate var places: AsyncStream<Void>.AsyncIterator

        /// Puts a row into its lane, once there is a place for it.
        mutating func put(_ flight: Flight, for id: String) async throws {
            guard await self.places.next() != nil else { throw CancellationError() }
            self.lanes[Int(PersistenceID.shard(of: id, among: UInt64(self.lanes.count)))].yield((id, flight))
        }
    }
}
