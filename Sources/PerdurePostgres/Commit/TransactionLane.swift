internal import PerdureIO
internal import PerdureState

/// One connection on its way with a transaction.
final class TransactionLane {
    private let core: StoreCore
    private let lease: StoreCore.Lease
    private let transaction: PendingTransaction

    init(_ core: StoreCore, _ lease: StoreCore.Lease, _ transaction: PendingTransaction) {
        self.core = core
        self.lease = lease
        self.transaction = transaction
    }

    func start() {
        let transaction = self.transaction
        switch transaction.steps {
        case .fixed(let steps): self.send(steps)
        case .onStates(let make):
            self.core.withStatements(
                on: self.lease.connection, for: transaction.operation, deadline: transaction.deadline
            ) { result, isUsable in
                switch result {
                case .success(let statements): self.send(make(statements))
                case .failure(let error) where isUsable || self.isLate: self.fail(error, isReusable: isUsable)
                case .failure: self.again(isReusable: false)
                }
            }
        }
    }

    private func send(_ steps: [Exchange.Step]) {
        let transaction = self.transaction
        transaction.begin()
        guard !steps.isEmpty else { return self.done() }
        transaction.attempts += 1
        self.lease.connection.send(
            Exchange(
                steps: steps, deadline: transaction.deadline,
                receive: { step, rows in transaction.receive(step, rows) }, finish: { self.ended($0) }))
    }

    private var isLate: Bool { self.transaction.deadline <= self.core.loop.now }

    private func ended(_ end: ExchangeEnd) {
        switch end {
        case .done: self.done()
        case .refused(let fault): self.refused(fault)
        case .lost(let fault):
            self.transaction.mayHaveHappened = true
            if self.transaction.isRepeatable, !self.isLate {
                self.again(isReusable: false)
            } else {
                self.fail(fault, isReusable: false)
            }
        case .notSent(let fault): self.againOrFail(fault, isReusable: false)
        }
    }

    private func refused(_ fault: ServerFault) {
        switch fault.remedy {
        case .repeatIt: self.againOrFail(fault, isReusable: true)
        case .reconnect: self.againOrFail(fault, isReusable: false)
        case .separate where fault.isLock && !self.transaction.isDivisible: self.againOrFail(fault, isReusable: true)
        case .separate: self.fail(fault, isOfOneRow: true, isReusable: true)
        case .giveUp: self.fail(fault, isReusable: true)
        }
    }

    private func againOrFail(_ fault: ServerFault, isReusable: Bool) {
        if self.isLate || fault.isHopeless(after: self.transaction.attempts) {
            self.fail(fault, isReusable: isReusable)
        } else {
            self.again(isReusable: isReusable)
        }
    }

    // MARK: Ends

    private func done() {
        self.transaction.end()
        self.core.transactionEnded(self.lease, isReusable: true, again: nil)
    }

    private func again(isReusable: Bool) {
        self.core.transactionEnded(self.lease, isReusable: isReusable, again: self.transaction)
    }

    private func fail(_ fault: ServerFault, isOfOneRow: Bool = false, isReusable: Bool) {
        var error = StoreError(fault, operation: self.transaction.operation)
        if self.isLate {
            let settings = self.core.configuration
            error = error.late(after: self.transaction.isReading ? settings.readTimeout : settings.writeTimeout)
        }
        self.fail(error, isOfOneRow: isOfOneRow, isReusable: isReusable)
    }

    private func fail(_ error: StoreError, isOfOneRow: Bool = false, isReusable: Bool) {
        self.transaction.end(error, isOfOneRow: isOfOneRow)
        self.core.transactionEnded(self.lease, isReusable: isReusable, again: nil)
    }
}
