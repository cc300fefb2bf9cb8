import Testing

@testable import PerdureDynamoDB

@Suite struct RetryMachineTests {
    private func fault(_ name: String, status: Int = 400, message: String = "", date: Int64? = nil) -> CallFailure {
        let fault = ServiceFault(name: name, message: message, status: status, date: date)
        return CallFailure(cause: .fault(fault), mayHaveHappened: fault.mayHaveHappened)
    }

    private let throttled = ServiceFault(name: "ProvisionedThroughputExceededException", message: "", status: 400)

    @Test func pausesDoubleUpToTheLongest() {
        var settings = DynamoDBRetries()
        settings.firstPause = .milliseconds(10)
        settings.longestPause = .milliseconds(100)
        settings.maximumAttempts = 8
        var budget = RetryBudget(settings)
        var machine = RetryMachine(settings, deadline: .seconds(60))
        let failure = self.fault("InternalServerError", status: 500)
        let pauses = (0..<8).map { _ in machine.failed(failure, isRepeatable: true, now: .zero, budget: &budget) }
        #expect(
            pauses == [10, 20, 40, 80, 100, 100, 100].map { .pause(upTo: .milliseconds($0)) } + [
                RetryMachine.Action.giveUp
            ])
        #expect(machine.attempts == 8 && machine.mayHaveHappened)
    }

    @Test func neverPassesTheDeadline() {
        let settings = DynamoDBRetries()
        var budget = RetryBudget(settings)
        var machine = RetryMachine(settings, deadline: .milliseconds(1_030))
        let failure = CallFailure(cause: .fault(self.throttled), mayHaveHappened: false)
        #expect(
            machine.failed(failure, isRepeatable: true, now: .seconds(1), budget: &budget)
                == .pause(upTo: .milliseconds(30)))
        #expect(machine.failed(failure, isRepeatable: true, now: .milliseconds(1_030), budget: &budget) == .giveUp)
        #expect(!machine.mayHaveHappened)
    }

    @Test func spendsNoMoreThanItsBudget() {
        var settings = DynamoDBRetries()
        settings.budget = 3
        settings.maximumAttempts = 100
        var budget = RetryBudget(settings)
        let failure = CallFailure(cause: .fault(self.throttled), mayHaveHappened: false)
        var repetitions = 0
        for _ in 0..<10 {
            var machine = RetryMachine(settings, deadline: .seconds(60))
            while machine.failed(failure, isRepeatable: true, now: .zero, budget: &budget) != .giveUp {
                repetitions += 1
            }
        }
        #expect(repetitions == 3)
        // Five that succeed at once pay for one more; one that succeeds after repeating pays what it took.
        for _ in 0..<5 { budget.succeeded(afterRepeating: false) }
        var machine = RetryMachine(settings, deadline: .seconds(60))
        #expect(machine.failed(failure, isRepeatable: true, now: .zero, budget: &budget) != .giveUp)
        #expect(machine.failed(failure, isRepeatable: true, now: .zero, budget: &budget) == .giveUp)
        for _ in 0..<100 { budget.succeeded(afterRepeating: true) }
        #expect(budget.isFull)
    }

    @Test func doesNotRepeatWhatMayHaveHappenedUnlessItMay() {
        let settings = DynamoDBRetries()
        let lost = CallFailure(
            cause: .transport(HTTPFailure(reason: .broken, mayHaveArrived: true, description: "")),
            mayHaveHappened: true)
        let unsent = CallFailure(
            cause: .transport(HTTPFailure(reason: .notConnected, mayHaveArrived: false, description: "")),
            mayHaveHappened: false)
        for isRepeatable in [true, false] {
            var budget = RetryBudget(settings)
            var machine = RetryMachine(settings, deadline: .seconds(1))
            #expect(machine.failed(unsent, isRepeatable: isRepeatable, now: .zero, budget: &budget) != .giveUp)
            #expect(
                (machine.failed(lost, isRepeatable: isRepeatable, now: .zero, budget: &budget) == .giveUp)
                    == !isRepeatable)
        }
    }

    @Test(
        arguments: [
            ("ConditionalCheckFailedException", "", nil, CallFailure.Remedy.none),
            ("ValidationException", "", nil, .none),
            ("AccessDeniedException", "", nil, .none), ("ThrottlingException", "", nil, .againSlower),
            ("RequestLimitExceeded", "", nil, .againSlower), ("TransactionConflictException", "", nil, .again),
            ("TransactionInProgressException", "", nil, .again), ("ExpiredTokenException", "", nil, .newCredentials),
            ("UnrecognizedClientException", "", nil, .newCredentials),
            ("InvalidSignatureException", "does not match", 5, .none),
            ("InvalidSignatureException", "Signature expired: …", 5, .itsTime(5)),
            ("InvalidSignatureException", "Signature not yet current: …", nil, .none),
            ("RequestTimeTooSkewed", "", 7, .itsTime(7)),
            ("HTTP301", "", nil, .none), ("HTTP404", "", nil, .none),
        ] as [(String, String, Int64?, CallFailure.Remedy)])
    func knowsWhatHelps(_ name: String, _ message: String, _ date: Int64?, _ remedy: CallFailure.Remedy) {
        #expect(self.fault(name, message: message, date: date).remedy == remedy)
    }

    @Test(
        arguments: [
            (["None", "TransactionConflict"], CallFailure.Remedy.again), (["ThrottlingError", "None"], .againSlower),
            (["TransactionConflict", "ConditionalCheckFailed"], .none), (["ValidationError", "None"], .none),
            (["None"], .none),
        ] as [([String], CallFailure.Remedy)])
    func repeatsTransactionsThatHadBadLuck(_ codes: [String], _ remedy: CallFailure.Remedy) {
        var fault = ServiceFault(name: "TransactionCanceledException", message: "", status: 400)
        fault.reasons = codes.map { .init(code: $0, item: nil) }
        #expect(CallFailure(cause: .fault(fault), mayHaveHappened: false).remedy == remedy)
    }
}
