/// What a server says.
///
/// A failure that the server reports is a response like any other (``Message/error(_:)``): reading one throws only where the
/// bytes are not what the protocol says. Whatever a newer server adds at the end of a message is ignored.
public struct CQLResponse: Sendable, Hashable {
    /// The number of the request that this answers; -1 for events.
    public let stream: Int16
    /// The ID of the request's trace, if it asked for one.
    public let tracingID: CQLUUID?
    /// What the server wants to be known, for people.
    public let warnings: [String]
    /// The message itself.
    public let message: Message

    /// The kinds of messages.
    public enum Message: Sendable, Hashable {
        /// The server could not do what was asked, or not all of it.
        case error(CQLServerError)
        /// The connection is open, or the registration for events took effect.
        case ready
        /// The server wants to know who it talks to; the name of its authenticator.
        case authenticate(String)
        /// The server wants to know more.
        case authChallenge([UInt8]?)
        /// The server believes it.
        case authSuccess([UInt8]?)
        /// What the server supports: values by option.
        case supported([String: [String]])
        /// Done, with nothing to say.
        case void
        /// Rows.
        case rows(CQLRows)
        /// The keyspace of the connection is another now.
        case setKeyspace(String)
        /// The statement is remembered.
        case prepared(CQLPreparedStatement)
        /// The schema is another now.
        case schemaChange(CQLSchemaChange)
        /// Something happened.
        case event(CQLEvent)
    }

    /// Reads a frame.
    ///
    /// - Throws: ``CQLProtocolError`` where it is not a response, or ends too early.
    public init(_ frame: CQLFrame) throws(CQLProtocolError) {
        self = try frame.storage.lend(from: frame.start) { bytes throws(CQLProtocolError) in
            try CQLResponse(frame, bytes)
        }
    }

    private init(_ frame: CQLFrame, _ bytes: UnsafeRawBufferPointer) throws(CQLProtocolError) {
        let header = frame.header
        var reader = WireReader(bytes)
        var tracingID: CQLUUID?
        var warnings: [String] = []
        if header.flags.contains(.tracing) {
            tracingID = try CQLUUID.decodeCQL(try reader.lend(16, "the ID of a trace"), as: nil)
        }
        if header.flags.contains(.warnings) { warnings = try reader.stringList("warnings") }
        if header.flags.contains(.customPayload) {
            let count = try reader.count(of: UInt16.self, eachAtLeast: 6, "a custom payload")
            for _ in 0..<count {
                _ = try reader.lend(Int(try reader.integer(UInt16.self)), "a custom payload")
                _ = try reader.bytesOrNull("a custom payload")
            }
        }
        self.stream = header.stream
        self.tracingID = tracingID
        self.warnings = warnings
        let isV5 = header.version >= CQLVersion.v5.rawValue
        switch header.opcode {
        case .error: self.message = .error(try reader.serverError(isV5: isV5))
        case .ready: self.message = .ready
        case .authenticate: self.message = .authenticate(try reader.string("an authenticator's name"))
        case .authChallenge: self.message = .authChallenge(try reader.bytesCopy("a challenge"))
        case .authSuccess: self.message = .authSuccess(try reader.bytesCopy("a token"))
        case .supported:
            let count = try reader.count(of: UInt16.self, eachAtLeast: 4, "options")
            var options: [String: [String]] = [:]
            for _ in 0..<count {
                let name = try reader.string("an option")
                options[name] = try reader.stringList("an option")
            }
            self.message = .supported(options)
        case .result: self.message = try reader.result(frame, isV5: isV5)
        case .event: self.message = .event(try reader.event())
        case .startup, .options, .query, .prepare, .execute, .register, .batch, .authResponse:
            throw .malformed("a request (\(header.opcode)) where a response must come")
        }
    }
}

extension WireReader {
    fileprivate mutating func result(
        _ frame: CQLFrame, isV5: Bool
    ) throws(CQLProtocolError) -> CQLResponse.Message {
        switch try self.integer(Int32.self, "the kind of a result") {
        case 1: return .void
        case 2: return .rows(try self.rows(frame))
        case 3: return .setKeyspace(try self.string("a keyspace"))
        case 4: return .prepared(try self.prepared(isV5: isV5))
        case 5: return .schemaChange(try self.schemaChange())
        case let kind: throw .malformed("a result of kind \(kind) is not known")
        }
    }

    private mutating func prepared(isV5: Bool) throws(CQLProtocolError) -> CQLPreparedStatement {
        let id = try self.shortBytes("the ID of a statement")
        let metadataID = isV5 ? try self.shortBytes("the ID of a statement's metadata") : nil
        let flags = try self.integer(Int32.self, "the flags of metadata")
        let markerCount = try self.columnCount()
        let keyCount = try self.count(of: Int32.self, eachAtLeast: 2, "the partition key's markers")
        var key: [Int] = []
        key.reserveCapacity(keyCount)
        for _ in 0..<keyCount {
            let marker = Int(try self.integer(UInt16.self, "the partition key's markers"))
            guard marker < markerCount else { throw .malformed("marker \(marker) of \(markerCount) is in the key") }
            key.append(marker)
        }
        let markers = try self.columns(markerCount, flags: flags)
        let result = try self.metadata()
        return CQLPreparedStatement(
            id: id, resultMetadataID: metadataID, markers: markers, partitionKeyMarkers: key,
            columns: result.columns ?? [])
    }
}
