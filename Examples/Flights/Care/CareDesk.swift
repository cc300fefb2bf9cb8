import PerdureWorkflow
import Synchronization

/// The desk that looks after passengers: a service of somebody else's, which fails now and then, and does nothing twice for one
/// idempotency key.
///
/// What it did stands in a ledger, which shows afterwards that each thing was done exactly once.
struct CareDesk: Sendable {
    let ledger: CareLedger

    func rebook(_ entitlement: Entitlement, _ context: StepContext) async throws -> Rebooking {
        try self.serve(context)
        try self.ledger.enter("rebooked", key: context.idempotencyKey)
        return Rebooking(seat: "\(entitlement.incident.line % 40 + 1)\(entitlement.needsHotel ? "A" : "F")")
    }

    func issueVoucher(_ entitlement: Entitlement, _ context: StepContext) async throws -> Voucher {
        try self.serve(context)
        try self.ledger.enter("voucher", key: context.idempotencyKey)
        return Voucher(number: "V-\(entitlement.incident.line)", worth: entitlement.voucher)
    }

    func settle(_ offer: Offer, _ confirmation: Confirmation?, _ context: StepContext) async throws -> Settlement {
        try self.serve(context)
        try self.ledger.enter("settled", key: context.idempotencyKey)
        return Settlement(
            line: offer.line, paid: offer.voucher.worth + (confirmation?.bonus ?? 0), isConfirmed: confirmation != nil)
    }

    /// Fails at about every third first attempt: which ones depends on the key alone, so that each run of the demo is alike.
    private func serve(_ context: StepContext) throws {
        guard context.attempt == 1, PersistenceID.shard(of: context.idempotencyKey, among: 3) == 0 else { return }
        throw Busy()
    }

    /// Nobody was free at the desk.
    struct Busy: Error, CustomStringConvertible {
        let description = "the desk is busy"
    }
}
