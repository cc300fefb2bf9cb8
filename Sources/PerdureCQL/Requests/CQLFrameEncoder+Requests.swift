extension CQLFrameEncoder {
    /// Writes a request that is a value.
    ///
    /// - Parameters:
    ///   - request: What to ask.
    ///   - stream: The number that the response will carry; not negative.
    /// - Throws: ``CQLProtocolError`` where it is over a limit, or needs a later version of the protocol; nothing is written.
    public mutating func encode(_ request: CQLRequest, stream: Int16) throws(CQLProtocolError) {
        switch request {
        case .startup(let startup): try self.startup(startup, stream: stream)
        case .options: try self.options(stream: stream)
        case .authResponse(let token): try self.authResponse(token, stream: stream)
        case .query(let text, let options, let values):
            try self.query(text, options, stream: stream) { bound throws(CQLProtocolError) in
                for value in values { try bound.bind(value) }
            }
        case .queryNamed(let text, let options, let values):
            try self.query(text, options, stream: stream) { bound throws(CQLProtocolError) in
                for value in values { try bound.bind(value.value, to: value.name) }
            }
        case .prepare(let text, let keyspace): try self.prepare(text, keyspace: keyspace, stream: stream)
        case .execute(let statement, let options, let values):
            try self.execute(statement, options, stream: stream) { bound throws(CQLProtocolError) in
                for value in values { try bound.bind(value) }
            }
        case .batch(let kind, let options, let statements):
            try self.batch(kind, options, stream: stream) { batch throws(CQLProtocolError) in
                for statement in statements {
                    switch statement {
                    case .query(let text, let values):
                        try batch.add(text) { bound throws(CQLProtocolError) in
                            for value in values { try bound.bind(value) }
                        }
                    case .prepared(let prepared, let values):
                        try batch.add(prepared) { bound throws(CQLProtocolError) in
                            for value in values { try bound.bind(value) }
                        }
                    }
                }
            }
        case .register(let kinds): try self.register(kinds, stream: stream)
        }
    }

    /// Writes STARTUP: from the next message on, version 5 travels in segments.
    ///
    /// - Throws: ``CQLProtocolError`` where a text is over 65 535 bytes.
    public mutating func startup(_ startup: CQLStartup, stream: Int16) throws(CQLProtocolError) {
        try self.message(.startup, stream: stream) { buffer throws(CQLProtocolError) in
            let entries = startup.entries
            buffer.append(UInt16(truncatingIfNeeded: entries.count))
            for (key, value) in entries {
                try buffer.append(string: key, "an option of STARTUP")
                try buffer.append(string: value, "an option of STARTUP")
            }
        }
    }

    /// Writes OPTIONS.
    ///
    /// - Throws: Nothing in practice: it has no body.
    public mutating func options(stream: Int16) throws(CQLProtocolError) {
        try self.message(.options, stream: stream) { _ throws(CQLProtocolError) in }
    }

    /// Writes AUTH_RESPONSE.
    ///
    /// - Throws: ``CQLProtocolError`` where the token is over the limit.
    public mutating func authResponse(_ token: [UInt8]?, stream: Int16) throws(CQLProtocolError) {
        try self.message(.authResponse, stream: stream) { buffer throws(CQLProtocolError) in
            try buffer.append(bytesOrNull: token)
        }
    }

    /// Writes REGISTER.
    ///
    /// - Throws: Nothing in practice.
    public mutating func register(_ kinds: [CQLEventKind], stream: Int16) throws(CQLProtocolError) {
        try self.message(.register, stream: stream) { buffer throws(CQLProtocolError) in
            buffer.append(UInt16(truncatingIfNeeded: kinds.count))
            for kind in kinds { try buffer.append(string: kind.rawValue, "a kind of event") }
        }
    }

    /// Writes PREPARE.
    ///
    /// - Throws: ``CQLProtocolError`` for a keyspace in version 4.
    public mutating func prepare(
        _ text: String, keyspace: String? = nil, stream: Int16
    ) throws(CQLProtocolError) {
        let version = self.version
        try self.message(.prepare, stream: stream) { buffer throws(CQLProtocolError) in
            try buffer.append(longString: text)
            guard version >= .v5 else {
                if keyspace != nil { throw .unsupported("a keyspace with PREPARE needs version 5") }
                return
            }
            buffer.append(UInt32(keyspace == nil ? 0 : 1))
            if let keyspace { try buffer.append(string: keyspace, "a keyspace") }
        }
    }

    /// Writes QUERY.
    ///
    /// - Parameters:
    ///   - text: The query.
    ///   - options: What goes with it.
    ///   - stream: The number that the response will carry.
    ///   - bind: Binds a value to each marker.
    /// - Throws: ``CQLProtocolError`` where an option needs version 5, or what `bind` throws.
    public mutating func query(
        _ text: String, _ options: CQLQueryOptions = CQLQueryOptions(), stream: Int16,
        _ bind: (inout CQLBoundValues) throws(CQLProtocolError) -> Void = { _ throws(CQLProtocolError) in }
    ) throws(CQLProtocolError) {
        let start = self.begin(.query, stream, options.headerFlags)
        do throws(CQLProtocolError) {
            try self.statements.values.buffer.append(longString: text)
            try self.statements.values.append(options, self.version, markers: nil, bind)
            try self.end(at: start, .query)
        } catch {
            self.rollBack(to: start)
            throw error
        }
    }

    /// Writes EXECUTE.
    ///
    /// - Parameters:
    ///   - statement: What PREPARE gave.
    ///   - options: What goes with it.
    ///   - stream: The number that the response will carry.
    ///   - bind: Binds a value to each marker; types are checked.
    /// - Throws: ``CQLProtocolError`` where a value is missing or of another type than its marker, or an option needs version
    ///   5; or what `bind` throws.
    public mutating func execute(
        _ statement: CQLPreparedStatement, _ options: CQLQueryOptions = CQLQueryOptions(), stream: Int16,
        _ bind: (inout CQLBoundValues) throws(CQLProtocolError) -> Void = { _ throws(CQLProtocolError) in }
    ) throws(CQLProtocolError) {
        let start = self.begin(.execute, stream, options.headerFlags)
        do throws(CQLProtocolError) {
            try self.statements.values.buffer.append(shortBytes: statement.id, "the ID of a statement")
            if self.version >= .v5 {
                // A statement without a result has an ID of its metadata too; one prepared in version 4 has none.
                try self.statements.values.buffer.append(
                    shortBytes: statement.resultMetadataID ?? [], "the ID of a statement's metadata")
            }
            try self.statements.values.append(options, self.version, markers: statement.markers, bind)
            try self.end(at: start, .execute)
        } catch {
            self.rollBack(to: start)
            throw error
        }
    }

    /// Writes BATCH.
    ///
    /// - Parameters:
    ///   - kind: How the statements belong together.
    ///   - options: What goes with it; pages do not apply.
    ///   - stream: The number that the response will carry.
    ///   - add: Adds the statements.
    /// - Throws: ``CQLProtocolError`` where an option needs version 5, or what `add` throws.
    public mutating func batch(
        _ kind: CQLBatchKind, _ options: CQLQueryOptions = CQLQueryOptions(), stream: Int16,
        _ add: (inout CQLBatchStatements) throws(CQLProtocolError) -> Void
    ) throws(CQLProtocolError) {
        let start = self.begin(.batch, stream, options.headerFlags)
        do throws(CQLProtocolError) {
            self.statements.count = 0
            self.statements.values.buffer.append(kind.rawValue)
            let position = self.statements.values.buffer.count
            self.statements.values.buffer.append(UInt16(0))
            try add(&self.statements)
            self.statements.values.buffer.overwrite(UInt16(truncatingIfNeeded: self.statements.count), at: position)
            self.statements.values.buffer.append(options.consistency.rawValue)
            let flags = options.flags.intersection(.ofBatch)
            try self.statements.values.append(flags: flags, self.version)
            try self.statements.values.append(options, flags)
            try self.end(at: start, .batch)
        } catch {
            self.rollBack(to: start)
            throw error
        }
    }
}

extension CQLQueryOptions {
    fileprivate var headerFlags: CQLFrameHeader.Flags { self.isTraced ? .tracing : [] }
}

extension CQLBoundValues {
    /// Writes query parameters, the values among them.
    fileprivate mutating func append(
        _ options: CQLQueryOptions, _ version: CQLVersion, markers: [CQLColumn]?,
        _ bind: (inout CQLBoundValues) throws(CQLProtocolError) -> Void
    ) throws(CQLProtocolError) {
        self.buffer.append(options.consistency.rawValue)
        let flagsPosition = self.buffer.count
        var flags = options.flags
        try self.append(flags: flags, version)
        let valuesPosition = self.begin(markers: markers)
        try bind(&self)
        try self.end(at: valuesPosition)
        if self.count > 0 {
            flags.insert(.values)
            if self.named > 0 { flags.insert(.names) }
            if version >= .v5 {
                self.buffer.overwrite(flags.rawValue, at: flagsPosition)
            } else {
                self.buffer.overwrite(UInt8(truncatingIfNeeded: flags.rawValue), at: flagsPosition)
            }
        } else {
            self.buffer.truncate(to: valuesPosition)
        }
        try self.append(options, flags)
    }

    fileprivate mutating func append(
        flags: CQLQueryOptions.Flags, _ version: CQLVersion
    ) throws(CQLProtocolError) {
        if version >= .v5 { return self.buffer.append(flags.rawValue) }
        guard flags.isSubset(of: .ofV4) else {
            throw .unsupported("a keyspace or a time with a query needs version 5")
        }
        self.buffer.append(UInt8(truncatingIfNeeded: flags.rawValue))
    }

    /// Writes what follows the values.
    fileprivate mutating func append(
        _ options: CQLQueryOptions, _ flags: CQLQueryOptions.Flags
    ) throws(CQLProtocolError) {
        if flags.contains(.pageSize), let size = options.pageSize { self.buffer.append(size) }
        if flags.contains(.pagingState) { try self.buffer.append(bytesOrNull: options.pagingState) }
        if flags.contains(.serial), let serial = options.serialConsistency {
            guard serial.isSerial else { throw .mismatch("\(serial) is no serial consistency") }
            self.buffer.append(serial.rawValue)
        }
        if flags.contains(.timestamp), let timestamp = options.timestamp {
            guard timestamp >= 0 else { throw .mismatch("a timestamp before 1970 (\(timestamp)) is forbidden") }
            self.buffer.append(timestamp)
        }
        if flags.contains(.keyspace), let keyspace = options.keyspace {
            try self.buffer.append(string: keyspace, "a keyspace")
        }
        if flags.contains(.nowInSeconds), let now = options.nowInSeconds { self.buffer.append(now) }
    }
}
