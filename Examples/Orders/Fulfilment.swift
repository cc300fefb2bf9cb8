import PerdureSQLite

struct Order: Codable, Sendable {
    var number: Int
    var lines: [String]
    var cents: Int
}

struct Reservation: Codable, Sendable {
    var lines: [String]
    var cents: Int
}

struct Receipt: Codable, Sendable {
    var cents: Int
    var key: String
}

struct Shipment: Codable, Sendable {
    var parcels: [String]
    var receipt: Receipt
}

/// What the courier says at the customer's door.
struct Handover: Codable, Sendable {
    var to: String
}

/// Reserve; charge and pack side by side; then wait for the courier, and pay back where nobody was at home.
func fulfilment(by shop: Shop) -> Workflow<Order, String> {
    Workflow("fulfil-order", version: "1") {
        Step("reserve") { (order: Order) in Reservation(lines: order.lines, cents: order.cents) }
            .validate { if $0.lines.isEmpty { throw ValidationError("an order has at least one line") } }
        Parallel {
            // The till is often busy, which passes. A card that is declined stays declined: that is not tried again.
            Step("charge") { (it: Reservation, context: StepContext) in
                try await shop.charge(it.cents, for: context.runID, key: context.idempotencyKey)
            }
            .retry(.exponential(attempts: 5, delay: .milliseconds(20), retrying: { $0 is Shop.TillBusy }))
            .timeout(.seconds(10))
            Branch {
                Step("pick") { (it: Reservation) in it.lines }
                ForEach("pack", limit: 2) { (line: String) in "box with \(line)" }
            }
        }
        Join("ship") { (receipt: Receipt, parcels: [String]) in Shipment(parcels: parcels, receipt: receipt) }
        // Days, in a real shop: a waiting run holds no thread, and survives the process.
        WaitForSignal("delivered", Handover.self, timeout: .seconds(2)) { (shipment: Shipment, handover: Handover?) in
            guard let handover else { return "nobody at home, \(shipment.receipt.cents) cents to pay back" }
            return "\(shipment.parcels.count) parcels handed to \(handover.to)"
        }
        Step("close") { (outcome: String, context: StepContext) in
            if outcome.hasPrefix("nobody"), let shipment = try context.output(of: "ship", as: Shipment.self) {
                try await shop.payBack(shipment.receipt, key: context.idempotencyKey)
            }
            return outcome
        }
    }
}
