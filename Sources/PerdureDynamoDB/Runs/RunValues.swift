internal import PerdureModel
internal import PerdureState
internal import PerdureWorkflow

/// Puts values into items: as they are where they are small, in chunks of their own where they are not.
struct RunValueWriter {
    let partition: String
    let life: [UInt8]
    let writeID: WriteID
    /// Checks sizes, and adds them up.
    var encoding: RunEncoding
    /// The largest value that goes into an item of its own.
    var inlineLimit = Self.ample
    /// What must be written before anything refers to it.
    private(set) var chunks: [Item] = []
    private var setCount = 0

    /// Of a step's, a state's or a message's item: what DynamoDB's 400 KB leave.
    static let ample = StateItem.inlineLimit - 16_384
    /// Where many values share a transaction, or an item.
    static let small = 4_096
    /// Of the run's own item, which every step writes again, and both indexes with it.
    static let tiny = 1_024

    init(runID: String, life: [UInt8], writeID: WriteID, limit: Int) {
        self.partition = RunKey.partition(runID)
        self.life = life
        self.writeID = writeID
        self.encoding = RunEncoding(of: runID, limit: limit)
    }

    mutating func put(_ value: RunValue?, as name: String, in item: inout Item, limit: Int? = nil) throws(StoreError) {
        for (name, value) in try self.attributes(value, as: name, limit: limit) { item.append(name, optional: value) }
    }

    /// The attribute of a value, and that of its chunks; one of them is nil.
    mutating func attributes(
        _ value: RunValue?, as name: String, limit: Int? = nil
    ) throws(StoreError) -> [(String, AttributeValue?)] {
        let chunksName = Self.chunksName(name)
        guard let bytes: [UInt8] = try self.encoding.bytes(value) else { return [(name, nil), (chunksName, nil)] }
        guard bytes.count > limit ?? self.inlineLimit else { return [(name, .binary(bytes)), (chunksName, nil)] }
        let set = ChunkSet(
            name: "\(self.writeID.text)-\(self.setCount)", byteCount: bytes.count, manifest: "application/json")
        self.setCount += 1
        for number in 0..<set.count {
            var item = RunKey.key(self.partition, RunKey.chunk(set.name, number))
            item.append(RunAttribute.entity, .string("Chunk"))
            item.append(RunAttribute.life, .binary(self.life))
            item.append("value", .binary(set.part(number, of: bytes)))
            self.chunks.append(item)
        }
        return [(name, nil), (chunksName, .map(set.item(manifest: set.manifest)))]
    }

    static func chunksName(_ name: String) -> String { name + "_chunks" }
}

/// Takes values out of items, chunks included.
struct RunValueReader {
    /// The chunks that were read, by their sort keys.
    private var chunks: [IDKey: [UInt8]] = [:]

    mutating func add(_ chunk: Item) {
        guard let key = chunk.text(RunAttribute.sort), let bytes = chunk["value"]?.bytes else { return }
        self.chunks[IDKey(key)] = bytes
    }

    /// The sort keys of the chunks of a value; none where it is in its item.
    static func chunkKeys(of name: String, in item: Item) throws(AnswerFlaw) -> [String] {
        guard let value = item[RunValueWriter.chunksName(name)] else { return [] }
        let set = try ChunkSet(value)
        return (0..<set.count).map { RunKey.chunk(set.name, $0) }
    }

    func value(_ name: String, in item: Item) throws(AnswerFlaw) -> RunValue? {
        switch item[name] {
        case .binary(let bytes)?: return RunValue(bytes: bytes)
        case nil, .null: break
        case let value?: throw AnswerFlaw("the attribute \(name) is of type \(value.type), not B")
        }
        guard let value = item[RunValueWriter.chunksName(name)] else { return nil }
        let set = try ChunkSet(value)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(set.byteCount, 64 << 20))
        for number in 0..<set.count {
            guard let part = self.chunks[IDKey(RunKey.chunk(set.name, number))] else {
                throw AnswerFlaw("chunks of the attribute \(name) are missing")
            }
            bytes += part
        }
        guard bytes.count == set.byteCount else { throw AnswerFlaw("chunks of the attribute \(name) are too short") }
        return RunValue(bytes: bytes)
    }
}

/// Structured parts of runs as maps, as other programs read them.
enum RunMap {
    static func item(_ failure: RunFailure) -> AttributeValue {
        var item: Item = ["code": .string(failure.code.rawValue), "message": .string(failure.message)]
        item.append("type", optional: failure.type.map { .string($0) })
        item.append("step_id", optional: failure.step.map { .string($0) })
        item.append("attempt", optional: failure.attempt.map { .number($0) })
        return .map(item)
    }

    static func failure(_ value: AttributeValue?) throws(AnswerFlaw) -> RunFailure? {
        guard let value else { return nil }
        guard case .map(let item) = value, let code = item.text("code").flatMap({ RunFailure.Code(rawValue: $0) })
        else { throw AnswerFlaw("an error is no map with a known code") }
        return RunFailure(
            code, message: item.text("message") ?? "", type: item.text("type"), step: item.text("step_id"),
            attempt: item.integer("attempt").map { Int($0) })
    }

    /// DynamoDB takes no empty name for a member of a map; what is under it stands under `unnamed` beside the map.
    static func append(_ texts: [String: String], as name: String, to item: inout Item) {
        guard !texts.isEmpty else { return }
        let named = texts.filter { !$0.key.isEmpty }.sorted { IDKey($0.key) < IDKey($1.key) }
        item.append(name, .map(Item(named.map { (name: $0.key, value: .string($0.value)) })))
        item.append("unnamed_" + name, optional: texts[""].map { .string($0) })
    }

    static func texts(_ name: String, in item: Item) -> [String: String] {
        var texts: [String: String] = [:]
        if case .map(let map)? = item[name] {
            for (name, value) in map.attributes { if let text = value.text { texts[name] = text } }
        }
        if let text = item.text("unnamed_" + name) { texts[""] = text }
        return texts
    }

    static func item(_ trigger: RunTrigger) -> AttributeValue {
        var item: Item = [
            "type": .string(trigger.type), "source": .string(trigger.source), "timestamp": .time(trigger.timestamp),
        ]
        self.append(trigger.metadata, as: "metadata", to: &item)
        return .map(item)
    }

    static func trigger(_ value: AttributeValue?) -> RunTrigger? {
        guard case .map(let item)? = value else { return nil }
        return RunTrigger(
            type: item.text("type") ?? "", source: item.text("source") ?? "", timestamp: item.time("timestamp") ?? 0,
            metadata: self.texts("metadata", in: item))
    }
}
