/// A failure that a server reports.
///
/// `description` says the kind of failure only; the server's own words, which may quote the query, are in ``message`` and
/// in `debugDescription`.
public struct CQLServerError: Error, Sendable, Hashable {
    /// The kind of failure.
    public var code: Code
    /// The server's own words; they may quote the query and its values.
    public var message: String
    /// What else the server says of this kind of failure.
    public var details: Details

    /// Makes a failure.
    public init(_ code: Code, _ message: String, details: Details = .none) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// The kind of a failure, known or not.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The number on the wire.
        public let rawValue: Int32
        /// Makes a kind from the number on the wire.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// Something unexpected on the server.
        public static let serverError = Code(rawValue: 0x0000)
        /// The client broke the protocol, or asked for a version that the server does not speak.
        public static let protocolError = Code(rawValue: 0x000A)
        /// Name or password are wrong.
        public static let badCredentials = Code(rawValue: 0x0100)
        /// Too few replicas are up; nothing was tried.
        public static let unavailable = Code(rawValue: 0x1000)
        /// The coordinator has too much to do.
        public static let overloaded = Code(rawValue: 0x1001)
        /// The coordinator is just joining; nothing was tried.
        public static let isBootstrapping = Code(rawValue: 0x1002)
        /// Emptying a table failed.
        public static let truncateError = Code(rawValue: 0x1003)
        /// Too few replicas answered a write in time.
        public static let writeTimeout = Code(rawValue: 0x1100)
        /// Too few replicas answered a read in time.
        public static let readTimeout = Code(rawValue: 0x1200)
        /// Replicas failed to read.
        public static let readFailure = Code(rawValue: 0x1300)
        /// A function of the user failed.
        public static let functionFailure = Code(rawValue: 0x1400)
        /// Replicas failed to write.
        public static let writeFailure = Code(rawValue: 0x1500)
        /// The space for change data capture is used up.
        public static let cdcWriteFailure = Code(rawValue: 0x1600)
        /// A conditional write lost to another halfway: it may or may not happen still.
        public static let casWriteUnknown = Code(rawValue: 0x1700)
        /// The query does not parse.
        public static let syntaxError = Code(rawValue: 0x2000)
        /// The user may not do this.
        public static let unauthorized = Code(rawValue: 0x2100)
        /// The query parses but cannot be.
        public static let invalid = Code(rawValue: 0x2200)
        /// The query cannot be because of the configuration.
        public static let configError = Code(rawValue: 0x2300)
        /// The keyspace or table exists already.
        public static let alreadyExists = Code(rawValue: 0x2400)
        /// The node does not remember the statement.
        public static let unprepared = Code(rawValue: 0x2500)
    }

    /// What kind of write a time-out or failure concerns; known or not.
    public struct WriteType: RawRepresentable, Sendable, Hashable {
        /// The word on the wire.
        public let rawValue: String
        /// Makes a kind from the word on the wire.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A single write.
        public static let simple = WriteType(rawValue: "SIMPLE")
        /// A logged batch, whose log is written: it will happen in the end.
        public static let batch = WriteType(rawValue: "BATCH")
        /// An unlogged batch.
        public static let unloggedBatch = WriteType(rawValue: "UNLOGGED_BATCH")
        /// A counter update.
        public static let counter = WriteType(rawValue: "COUNTER")
        /// Writing the log of a batch.
        public static let batchLog = WriteType(rawValue: "BATCH_LOG")
        /// Deciding a conditional write. Time-outs after the decision are ``simple``.
        public static let cas = WriteType(rawValue: "CAS")
        /// Updating a materialized view.
        public static let view = WriteType(rawValue: "VIEW")
        /// A write to a table with change data capture.
        public static let cdc = WriteType(rawValue: "CDC")
    }

    /// Which replicas failed.
    public struct Failures: Sendable, Hashable {
        /// How many failed.
        public var count: Int
        /// In version 5: why, a code by the address of each.
        public var reasons: [CQLInet: UInt16]

        /// Makes a description of failures.
        public init(count: Int, reasons: [CQLInet: UInt16] = [:]) {
            self.count = count
            self.reasons = reasons
        }
    }

    /// What a server says besides its message.
    public enum Details: Sendable, Hashable {
        /// Nothing.
        case none
        /// Of ``Code/unavailable``: how many replicas had to be up, and how many were.
        case unavailable(consistency: CQLConsistency, required: Int32, alive: Int32)
        /// Of ``Code/writeTimeout``: how many replicas answered of how many that had to; in version 5 also how often a
        /// conditional write met another.
        case writeTimeout(
            consistency: CQLConsistency, received: Int32, required: Int32, type: WriteType, contentions: UInt16?)
        /// Of ``Code/readTimeout``: how many replicas answered of how many that had to, and whether the one asked for the
        /// data was among them.
        case readTimeout(consistency: CQLConsistency, received: Int32, required: Int32, dataPresent: Bool)
        /// Of ``Code/readFailure``.
        case readFailure(
            consistency: CQLConsistency, received: Int32, required: Int32, failures: Failures, dataPresent: Bool)
        /// Of ``Code/functionFailure``.
        case functionFailure(keyspace: String, function: String, arguments: [String])
        /// Of ``Code/writeFailure``.
        case writeFailure(
            consistency: CQLConsistency, received: Int32, required: Int32, failures: Failures, type: WriteType)
        /// Of ``Code/casWriteUnknown``.
        case casWriteUnknown(consistency: CQLConsistency, received: Int32, required: Int32)
        /// Of ``Code/alreadyExists``; the table is empty where a keyspace exists.
        case alreadyExists(keyspace: String, table: String)
        /// Of ``Code/unprepared``: the ID that the node does not know.
        case unprepared([UInt8])
    }
}

extension CQLServerError.Code: CustomStringConvertible {
    /// The kind in words, for instance `write timeout`.
    public var description: String {
        switch self {
        case .serverError: "server error"
        case .protocolError: "protocol error"
        case .badCredentials: "bad credentials"
        case .unavailable: "unavailable"
        case .overloaded: "overloaded"
        case .isBootstrapping: "is bootstrapping"
        case .truncateError: "truncate error"
        case .writeTimeout: "write timeout"
        case .readTimeout: "read timeout"
        case .readFailure: "read failure"
        case .functionFailure: "function failure"
        case .writeFailure: "write failure"
        case .cdcWriteFailure: "CDC write failure"
        case .casWriteUnknown: "CAS write unknown"
        case .syntaxError: "syntax error"
        case .unauthorized: "unauthorized"
        case .invalid: "invalid query"
        case .configError: "configuration error"
        case .alreadyExists: "already exists"
        case .unprepared: "unprepared"
        default: "error \(self.rawValue)"
        }
    }
}

extension CQLServerError: CustomStringConvertible, CustomDebugStringConvertible {
    /// The kind of failure: fit for strangers.
    public var description: String { "Cassandra: \(self.code)" }
    /// Everything, the server's words included.
    public var debugDescription: String { "Cassandra: \(self.code): \(self.message) \(self.details)" }
}

extension WireReader {
    mutating func serverError(isV5: Bool) throws(CQLProtocolError) -> CQLServerError {
        let code = CQLServerError.Code(rawValue: try self.integer(Int32.self, "an error's code"))
        let message = try self.string("an error's message")
        return CQLServerError(code, message, details: try self.details(of: code, isV5: isV5))
    }

    private mutating func details(
        of code: CQLServerError.Code, isV5: Bool
    ) throws(CQLProtocolError) -> CQLServerError.Details {
        switch code {
        case .unavailable:
            let consistency = try self.consistency()
            let required = try self.integer(Int32.self)
            return .unavailable(consistency: consistency, required: required, alive: try self.integer(Int32.self))
        case .writeTimeout:
            let (consistency, received, required) = try self.progress()
            let type = try self.writeType()
            // Only of conditional writes; a server may leave it out.
            let contentions = isV5 && type == .cas && self.remaining >= 2 ? try self.integer(UInt16.self) : nil
            return .writeTimeout(
                consistency: consistency, received: received, required: required, type: type, contentions: contentions)
        case .readTimeout:
            let (consistency, received, required) = try self.progress()
            let dataPresent = try self.integer(UInt8.self) != 0
            return .readTimeout(
                consistency: consistency, received: received, required: required, dataPresent: dataPresent)
        case .readFailure:
            let (consistency, received, required) = try self.progress()
            let failures = try self.failures(isV5: isV5)
            let dataPresent = try self.integer(UInt8.self) != 0
            return .readFailure(
                consistency: consistency, received: received, required: required, failures: failures,
                dataPresent: dataPresent)
        case .functionFailure:
            let keyspace = try self.string("a keyspace")
            let function = try self.string("a function")
            return .functionFailure(
                keyspace: keyspace, function: function, arguments: try self.stringList("the types of arguments"))
        case .writeFailure:
            let (consistency, received, required) = try self.progress()
            let failures = try self.failures(isV5: isV5)
            return .writeFailure(
                consistency: consistency, received: received, required: required, failures: failures,
                type: try self.writeType())
        case .casWriteUnknown:
            let (consistency, received, required) = try self.progress()
            return .casWriteUnknown(consistency: consistency, received: received, required: required)
        case .alreadyExists:
            let keyspace = try self.string("a keyspace")
            return .alreadyExists(keyspace: keyspace, table: try self.string("a table"))
        case .unprepared: return .unprepared(try self.shortBytes("the ID of a statement"))
        default: return .none
        }
    }

    private mutating func consistency() throws(CQLProtocolError) -> CQLConsistency {
        CQLConsistency(rawValue: try self.integer(UInt16.self, "a consistency"))
    }

    private mutating func progress() throws(CQLProtocolError) -> (CQLConsistency, Int32, Int32) {
        let consistency = try self.consistency()
        let received = try self.integer(Int32.self)
        return (consistency, received, try self.integer(Int32.self))
    }

    private mutating func writeType() throws(CQLProtocolError) -> CQLServerError.WriteType {
        CQLServerError.WriteType(rawValue: try self.string("the type of a write"))
    }

    private mutating func failures(isV5: Bool) throws(CQLProtocolError) -> CQLServerError.Failures {
        guard isV5 else { return CQLServerError.Failures(count: Int(try self.integer(Int32.self))) }
        let count = try self.count(of: Int32.self, eachAtLeast: 7, "the reasons of a failure")
        var reasons: [CQLInet: UInt16] = [:]
        for _ in 0..<count {
            let address = try self.inet("a failed replica")
            reasons[address] = try self.integer(UInt16.self)
        }
        return CQLServerError.Failures(count: count, reasons: reasons)
    }
}
