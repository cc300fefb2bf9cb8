internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

/// Decides which values of a change lie in its rows and which in sets of chunks of their own.
///
/// What is agreed on is sent around several times and kept by every replica beside the rows: large values are not.
struct ValueKeeper {
    let runID: String
    let operation: StoreError.Operation
    let limit: Int
    let names: WriteIDGenerator
    private(set) var sets: [(set: ChunkSet, bytes: [UInt8])] = []
    private var inlineCount = 0

    /// The largest value in a row, and the largest where the rows of the change have much to carry already.
    private static let inlineLimit = 64 << 10
    private static let smallInlineLimit = 2 << 10
    private static let muchToCarry = 1 << 20

    init(_ runID: String, _ operation: StoreError.Operation, limit: Int, names: WriteIDGenerator) {
        self.runID = runID
        self.operation = operation
        self.limit = limit
        self.names = names
    }

    mutating func keep(_ value: RunValue?) throws(StoreError) -> StoredValue? {
        guard let value else { return nil }
        let bytes: [UInt8]
        do throws(PayloadError) { bytes = try value.bytes } catch {
            throw StoreError(
                .invalidRequest, operation: self.operation, persistenceID: self.runID, message: error.message,
                underlying: error)
        }
        guard bytes.count <= self.limit else {
            throw StoreError(
                .payloadTooLarge, operation: self.operation, persistenceID: self.runID,
                message: "a value has \(bytes.count) bytes; this store takes at most \(self.limit)"
                    + " (maximumPayloadByteCount)")
        }
        let most = self.inlineCount > Self.muchToCarry ? Self.smallInlineLimit : Self.inlineLimit
        guard bytes.count > most else {
            self.inlineCount += bytes.count
            return .inline(bytes)
        }
        let set = ChunkSet(name: self.names.next(), count: ChunkSet.count(of: bytes.count) ?? 1)
        self.sets.append((set, bytes))
        return .set(set)
    }
}

extension RunSession {
    func keeper(for call: Call) -> ValueKeeper {
        ValueKeeper(
            call.id ?? "", call.operation, limit: self.configuration.maximumPayloadByteCount,
            names: self.session.writeIDs)
    }

    /// Writes sets before anything refers to them; nobody ever sees half of one.
    func write(_ sets: [(set: ChunkSet, bytes: [UInt8])], _ call: Call) async throws(StoreError) {
        let call = self.quorum(call)
        let time = CQLTimestamp(unixMilliseconds: self.session.clock.unixMilliseconds)
        do throws(StoreError) {
            for (set, bytes) in sets {
                for number in 0..<set.count {
                    let start = number * ChunkSet.inlineLimit
                    let part = Array(bytes[start..<min(start + ChunkSet.inlineLimit, bytes.count)])
                    _ = try await self.perform(self.statements.values.write, call) { values in
                        try values.bind(set.name)
                        try values.bind(Int32(number))
                        try values.bind(part)
                        try values.bind(call.id ?? "")
                        try values.bind(time)
                    }
                }
            }
        } catch {
            await self.remove(sets.map(\.set.name))
            // Nothing refers to them: as if nothing had been written.
            throw error.with(outcome: .notApplied)
        }
    }

    /// Removes sets that nothing refers to any more, or ever did.
    ///
    /// What fails is left behind and costs storage.
    func remove(_ sets: [CQLUUID]) async {
        let call = self.quorum(self.call(.list, nil))
        for set in sets { _ = try? await self.perform(self.statements.values.remove, call) { try $0.bind(set) } }
    }

    /// The bytes of a set; nil when some are missing.
    func bytes(in set: ChunkSet, _ call: Call) async throws(StoreError) -> [UInt8]? {
        var call = self.quorum(call)
        call.pageSize = 4
        var bytes: [UInt8] = []
        var next: Int32 = 0
        repeat {
            let page = try await self.perform(self.statements.values.read, call) { try $0.bind(set.name) }
            for row in page {
                let (number, part) = try self.decoded(call) { () throws(CQLProtocolError) in
                    (try row.decode(Int32.self, at: 0), try row.decode([UInt8].self, at: 1))
                }
                guard number == next else { return nil }
                next += 1
                bytes += part
            }
            call.pagingState = page.pagingState
        } while call.pagingState != nil
        return Int(next) == set.count ? bytes : nil
    }
}
