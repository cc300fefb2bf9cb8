/// One execution of a prepared statement at one node: prepares it again when the node forgot it, and notices when its
/// columns changed.
///
/// Event in, action out:
///
/// | event | action |
/// |---|---|
/// | ``start()`` | send EXECUTE |
/// | ``received(_:)`` of rows or nothing | done |
/// | … of the error `unprepared` | send PREPARE, then EXECUTE; after two times fail |
/// | … of any other error | fail; whether to try again is ``CQLRetryPolicy``'s to say |
public struct CQLExecutionMachine: Sendable, Hashable {
    /// The statement, as it is known now.
    public private(set) var statement: CQLPreparedStatement
    private var state = State.executing
    private var preparations = 0
    private static let maximumPreparations = 2

    private enum State: Sendable, Hashable {
        case executing
        case preparing
        case done
    }

    /// What to do now.
    public enum Action: Sendable, Hashable {
        /// Send EXECUTE of this statement.
        case execute(CQLPreparedStatement)
        /// Send PREPARE of its text.
        case prepare
        /// The result, with its columns. Where `changed` is true the statement has other columns now: keep
        /// ``CQLExecutionMachine/statement`` for the next time.
        case succeed(CQLResponse.Message, changed: Bool)
        /// It failed.
        case fail(CQLFailure)
    }

    /// Makes a machine for one execution.
    public init(_ statement: CQLPreparedStatement) { self.statement = statement }

    /// Begins.
    public mutating func start() -> Action {
        self.state = .executing
        return .execute(self.statement)
    }

    /// Takes in the answer to what was sent last.
    ///
    /// - Returns: What to do now.
    public mutating func received(_ message: CQLResponse.Message) -> Action {
        switch (self.state, message) {
        case (.executing, .error(let error)) where error.code == .unprepared:
            // A node that forgets what it was just told does so for ever.
            guard self.preparations < Self.maximumPreparations else { return self.fail(.server(error)) }
            self.preparations += 1
            self.state = .preparing
            return .prepare
        case (_, .error(let error)): return self.fail(.server(error))
        case (.preparing, .prepared(let new)):
            // The values at hand were made for the markers as they were.
            guard new.markers.map(\.type) == self.statement.markers.map(\.type) else {
                return self.fail(
                    .unreadable(.mismatch("the statement's markers have other types since it was prepared")))
            }
            self.statement = new
            self.state = .executing
            return .execute(new)
        case (.executing, .rows(let rows)): return self.succeed(rows)
        case (.executing, .void), (.executing, .setKeyspace), (.executing, .schemaChange):
            self.state = .done
            return .succeed(message, changed: self.preparations > 0)
        default: return self.fail(.unreadable(.unexpected("a message that does not answer what was asked")))
        }
    }

    private mutating func succeed(_ rows: CQLRows) -> Action {
        self.state = .done
        var changed = self.preparations > 0
        if let id = rows.newMetadataID, let columns = rows.columns {
            self.statement.resultMetadataID = id
            self.statement.columns = columns
            changed = true
        }
        do throws(CQLProtocolError) {
            return .succeed(.rows(try rows.described(by: self.statement.columns)), changed: changed)
        } catch {
            return .fail(.unreadable(error))
        }
    }

    private mutating func fail(_ failure: CQLFailure) -> Action {
        self.state = .done
        return .fail(failure)
    }
}
