internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

/// What a row of a run is.
enum RunRowKind: Int8, Sendable {
    case request = 0
    case output = 1
    case step = 2
    case state = 3
    case message = 4
    /// A message to another run, until it is there: `name` is that run's ID, `item` the message's.
    case post = 5
    /// A set of chunks that a value of the run is or was in: `name` is the set's.
    case values = 6
}

/// The values of the rows that are read: those that are at hand, and where the others are.
struct ValueSource: Sendable {
    var loaded: [CQLUUID: [UInt8]] = [:]
    private(set) var missing: [ChunkSet] = []

    mutating func value(_ stored: StoredValue?) -> RunValue? {
        switch stored {
        case nil: return nil
        case .inline(let bytes)?: return RunValue(bytes: bytes)
        case .set(let set)?:
            if let bytes = self.loaded[set.name] { return RunValue(bytes: bytes) }
            self.missing.append(set)
            return RunValue(bytes: [])
        }
    }
}

/// The rows of a run's partition, read.
struct RunRows {
    private(set) var head: RunHead?
    private var steps: [StepRecord] = []
    private(set) var state: [StateRecord] = []
    private(set) var messages: [RunMessage] = []
    private(set) var posts: [(runID: String, message: RunMessage)] = []
    /// The sets of chunks that the run's values are or were in.
    private(set) var sets: [CQLUUID] = []

    init(_ id: String, _ rows: CQLResult, _ source: inout ValueSource) throws(CQLProtocolError) {
        var request: RunRequest?
        var output: RunValue?
        for row in rows {
            var columns = row.reader
            guard let number = try columns.next(Int8?.self), let kind = RunRowKind(rawValue: number) else { continue }
            let name: String = try columns.next()
            let item: String = try columns.next()
            let body: [UInt8]? = try columns.next()
            let consumedBy: String? = try columns.next()
            _ = try columns.next(CQLUUID?.self)
            if self.head == nil {
                guard let head = try RunHead(id, &columns) else { return }
                self.head = head
            }
            guard let body, let head = self.head else { continue }
            var reader = try RecordReader(body)
            switch kind {
            case .request: request = try Self.request(head.record.request, &reader, &source)
            case .output: output = source.value(try reader.value())
            case .step: self.steps.append(try Self.step(name, &reader, &source))
            case .state:
                self.state.append(StateRecord(key: item, step: name, value: source.value(try reader.value())))
            case .message:
                var message = try Self.message(name, &reader, &source)
                message.consumedBy = consumedBy
                self.messages.append(message)
            case .post: self.posts.append((name, try Self.message(item, &reader, &source)))
            case .values: if let set = CQLUUID(name) { self.sets.append(set) }
            }
        }
        if let request { self.head?.record.request = request }
        self.head?.record.progress.output = output
    }

    func snapshot(_ head: RunHead) -> RunSnapshot {
        RunSnapshot(
            run: head.record, steps: self.steps.sorted { $0.comes(before: $1) }, state: self.state,
            messages: self.messages.sorted { $0.number < $1.number })
    }

    // MARK: Requests

    static func body(of request: RunRequest, _ keep: (RunValue?) throws -> StoredValue?) throws -> [UInt8] {
        var writer = RecordWriter()
        writer.put(request.version)
        writer.put(try keep(request.input))
        writer.put(try keep(request.context))
        try writer.put(json: request.trigger)
        writer.put(request.parent?.step)
        writer.put(request.forkedFrom)
        return writer.bytes
    }

    private static func request(
        _ light: RunRequest, _ reader: inout RecordReader, _ source: inout ValueSource
    ) throws(CQLProtocolError) -> RunRequest {
        var request = light
        request.version = try reader.text()
        request.input = source.value(try reader.value()) ?? RunValue(bytes: [])
        request.context = source.value(try reader.value())
        request.trigger = try reader.json()
        let parentStep = try reader.optionalText()
        request.parent?.step = parentStep ?? ""
        request.forkedFrom = try reader.optionalText()
        return request
    }

    // MARK: Steps

    static func body(of step: StepRecord, _ keep: (RunValue?) throws -> StoredValue?) throws -> [UInt8] {
        var writer = RecordWriter()
        writer.put(Int64(step.position))
        writer.put(step.item.map { Int64($0) })
        writer.put(Int64(bitPattern: step.definitionHash))
        writer.put(step.status.rawValue)
        writer.put(Int64(step.attempt))
        writer.put(step.startedAt)
        writer.put(step.completedAt)
        writer.put(step.wakesAt)
        try writer.put(json: step.failure)
        writer.put(try keep(step.input))
        writer.put(try keep(step.output))
        return writer.bytes
    }

    private static func step(
        _ id: String, _ reader: inout RecordReader, _ source: inout ValueSource
    ) throws(CQLProtocolError) -> StepRecord {
        let position = Int(try reader.integer())
        let item = try reader.optionalInteger().map { Int($0) }
        let hash = UInt64(bitPattern: try reader.integer())
        guard let status = StepStatus(rawValue: try reader.text()) else {
            throw RecordReader.unreadable("is a step with a status that is not known here")
        }
        var step = StepRecord(id: id, position: position, item: item, definitionHash: hash, status: status)
        step.attempt = Int(try reader.integer())
        step.startedAt = try reader.optionalInteger()
        step.completedAt = try reader.optionalInteger()
        step.wakesAt = try reader.optionalInteger()
        step.failure = try reader.json()
        step.input = source.value(try reader.value())
        step.output = source.value(try reader.value())
        return step
    }

    // MARK: Messages

    static func body(of message: RunMessage, _ keep: (RunValue?) throws -> StoredValue?) throws -> [UInt8] {
        var writer = RecordWriter()
        writer.put(Int64(bitPattern: message.number))
        writer.put(message.postedAt)
        switch message.kind {
        case .signal(let name):
            writer.put("signal")
            writer.put(name)
        case .childEnded(let runID, let status, let failure):
            writer.put("child")
            writer.put(runID)
            writer.put(status.rawValue)
            try writer.put(json: failure)
        case .cancel(let reason):
            writer.put("cancel")
            writer.put(reason)
        case .pause: writer.put("pause")
        }
        writer.put(try keep(message.payload))
        return writer.bytes
    }

    private static func message(
        _ id: String, _ reader: inout RecordReader, _ source: inout ValueSource
    ) throws(CQLProtocolError) -> RunMessage {
        let number = UInt64(bitPattern: try reader.integer())
        let postedAt = try reader.integer()
        let kind: RunMessage.Kind
        switch try reader.text() {
        case "signal": kind = .signal(try reader.text())
        case "child":
            kind = .childEnded(
                runID: try reader.text(), try RunHead.status(try reader.text()), try reader.json())
        case "cancel": kind = .cancel(reason: try reader.text())
        case "pause": kind = .pause
        default: throw RecordReader.unreadable("is a message of a kind that is not known here")
        }
        var message = RunMessage(id: id, kind: kind, payload: source.value(try reader.value()), postedAt: postedAt)
        message.number = number
        return message
    }
}
