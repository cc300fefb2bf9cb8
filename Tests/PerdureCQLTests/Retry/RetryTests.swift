import Testing

@testable import PerdureCQL

@Suite struct RetryTests {
    static let repeatable = CQLRetryPolicy.Request(isIdempotent: true)
    static let once = CQLRetryPolicy.Request(isIdempotent: false)
    static let conditional = CQLRetryPolicy.Request(isIdempotent: true, isConditional: true)

    static func server(_ code: CQLServerError.Code, _ details: CQLServerError.Details = .none) -> CQLFailure {
        .server(CQLServerError(code, "", details: details))
    }

    static func writeTimeout(_ type: CQLServerError.WriteType) -> CQLFailure {
        Self.server(
            .writeTimeout, .writeTimeout(consistency: .quorum, received: 1, required: 2, type: type, contentions: nil))
    }

    static func readTimeout(_ received: Int32, dataPresent: Bool) -> CQLFailure {
        Self.server(
            .readTimeout, .readTimeout(consistency: .quorum, received: received, required: 2, dataPresent: dataPresent))
    }

    static func unavailable(_ consistency: CQLConsistency) -> CQLFailure {
        Self.server(.unavailable, .unavailable(consistency: consistency, required: 2, alive: 1))
    }

    /// What is decided about a failure at the first try: of what may be repeated, of what may not, of a conditional write.
    static let table: [(CQLFailure, [CQLRetryPolicy.Decision])] = [
        (.connectionLost(wasSent: false), [.retryNextNode, .retryNextNode, .retryNextNode]),
        (.connectionLost(wasSent: true), [.retryNextNode, .fail, .fail]),
        (.timeout, [.fail, .fail, .fail]),
        (.unreadable(.malformed("")), [.fail, .fail, .fail]),
        (Self.server(.isBootstrapping), [.retryNextNode, .retryNextNode, .retryNextNode]),
        (Self.unavailable(.quorum), [.retryNextNode, .retryNextNode, .fail]),
        (Self.unavailable(.serial), [.retryNextNode, .retryNextNode, .retryNextNode]),
        (Self.readTimeout(2, dataPresent: false), [.retrySameNode, .fail, .fail]),
        (Self.readTimeout(2, dataPresent: true), [.fail, .fail, .fail]),
        (Self.readTimeout(1, dataPresent: false), [.fail, .fail, .fail]),
        (Self.writeTimeout(.simple), [.retrySameNode, .fail, .fail]),
        (Self.writeTimeout(.unloggedBatch), [.retrySameNode, .fail, .fail]),
        (Self.writeTimeout(.batchLog), [.retrySameNode, .fail, .fail]),
        (Self.writeTimeout(.batch), [.fail, .fail, .fail]),
        (Self.writeTimeout(.cas), [.fail, .fail, .fail]),
        (Self.writeTimeout(.counter), [.fail, .fail, .fail]),
        (Self.server(.casWriteUnknown), [.fail, .fail, .fail]),
        (Self.server(.writeFailure), [.fail, .fail, .fail]),
        (Self.server(.readFailure), [.fail, .fail, .fail]),
        (Self.server(.overloaded), [.retryNextNode, .fail, .fail]),
        (Self.server(.serverError), [.retryNextNode, .fail, .fail]),
        (Self.server(.syntaxError), [.fail, .fail, .fail]),
        (Self.server(.unprepared), [.prepareAndRetry, .prepareAndRetry, .prepareAndRetry]),
    ]

    @Test("what is tried again, by failure and by request") func decisions() {
        let policy = CQLRetryPolicy()
        for (failure, expected) in Self.table {
            let found = [Self.repeatable, Self.once, Self.conditional].map { policy.decision(failure, $0, attempt: 1) }
            #expect(found == expected, "\(failure)")
        }
    }

    @Test("it ends") func attempts() {
        let policy = CQLRetryPolicy(attempts: 3)
        #expect(policy.decision(.connectionLost(wasSent: false), Self.once, attempt: 2) == .retryNextNode)
        #expect(policy.decision(.connectionLost(wasSent: false), Self.once, attempt: 3) == .fail)
        #expect(policy.decision(Self.unavailable(.quorum), Self.once, attempt: 2) == .fail)
        #expect(policy.decision(Self.writeTimeout(.simple), Self.repeatable, attempt: 2) == .fail)
        #expect(CQLRetryPolicy(attempts: 0).attempts == 1)
    }

    @Test("whether a write that failed may have happened") func outcomes() {
        for (failure, outcome) in [
            (CQLFailure.connectionLost(wasSent: false), CQLOutcome.notApplied),
            (.connectionLost(wasSent: true), .unknown),
            (.timeout, .unknown), (.unreadable(.malformed("")), .unknown), (Self.writeTimeout(.simple), .unknown),
            (Self.writeTimeout(.cas), .unknown), (Self.writeTimeout(.batchLog), .unknown),
            (Self.server(.casWriteUnknown), .unknown), (Self.server(.writeFailure), .unknown),
            (Self.server(.overloaded), .unknown), (Self.server(.serverError), .unknown),
            (Self.server(CQLServerError.Code(rawValue: 0x7777)), .unknown), (Self.server(.invalid), .notApplied),
            (Self.server(.unprepared), .notApplied), (Self.server(.isBootstrapping), .notApplied),
        ] {
            #expect(failure.outcome(isConditional: false) == outcome, "\(failure)")
            #expect(failure.outcome(isConditional: true) == outcome, "\(failure)")
        }
        #expect(Self.unavailable(.quorum).outcome(isConditional: false) == .notApplied)
        // Too few replicas to decide; too few to spread what is decided.
        #expect(Self.unavailable(.localSerial).outcome(isConditional: true) == .notApplied)
        #expect(Self.unavailable(.quorum).outcome(isConditional: true) == .unknown)
        #expect(Self.server(.unavailable).outcome(isConditional: true) == .unknown)
    }

    @Test("waits grow to a limit, with chance, and begin anew") func backoff() {
        var random = Seeded(1)
        var backoff = CQLBackoff(base: .milliseconds(100), limit: .seconds(1))
        for full in [100, 200, 400, 800, 1000, 1000] {
            let wait = backoff.next(using: &random)
            #expect(wait >= .milliseconds(full / 2) && wait <= .milliseconds(full), "\(wait) of \(full)")
        }
        #expect(backoff.failures == 6)
        backoff.reset()
        #expect(backoff.next(using: &random) <= .milliseconds(100))
        for _ in 0..<200 { #expect(backoff.next(using: &random) <= .seconds(1)) }
        var waits: Set<Duration> = []
        for _ in 0..<20 { waits.insert(backoff.next(using: &random)) }
        #expect(waits.count > 10)
        var none = CQLBackoff(base: .zero, limit: .zero)
        #expect(none.next() > .zero)
    }
}
