internal import PerdureIO
internal import PerdureState

/// One connection on its way with a question that is neither a read of states nor a write.
final class InquiryLane {
    private let core: StoreCore
    private let lease: StoreCore.Lease
    private let inquiry: Inquiry

    init(_ core: StoreCore, _ lease: StoreCore.Lease, _ inquiry: Inquiry) {
        self.core = core
        self.lease = lease
        self.inquiry = inquiry
    }

    func start() {
        let inquiry = self.inquiry
        self.core.withStatements(on: self.lease.connection, for: inquiry.operation, deadline: inquiry.deadline) {
            result, isUsable in
            switch result {
            case .success(let statements):
                guard let step = inquiry.step(statements) else { return self.end(nil, isReusable: true) }
                self.lease.connection.send(
                    Exchange(
                        steps: [step], deadline: inquiry.deadline, receive: { _, rows in inquiry.receive(rows) },
                        finish: { self.ended($0) }))
            case .failure(let error): self.end(error, isReusable: isUsable)
            }
        }
    }

    private func ended(_ end: ExchangeEnd) {
        switch end {
        case .done: self.end(nil, isReusable: true)
        case .refused(let fault):
            self.end(StoreError(fault, operation: self.inquiry.operation), isReusable: fault.remedy != .reconnect)
        case .lost(let fault), .notSent(let fault):
            guard self.inquiry.deadline > self.core.loop.now else {
                return self.end(StoreError(fault, operation: self.inquiry.operation), isReusable: false)
            }
            self.core.inquiryEnded(self.lease, isReusable: false, again: self.inquiry)
        }
    }

    private func end(_ error: StoreError?, isReusable: Bool) {
        self.inquiry.answer(error)
        self.core.inquiryEnded(self.lease, isReusable: isReusable, again: nil)
    }
}
