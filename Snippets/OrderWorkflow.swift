// Definitions of workflows, part by part: the programs of Documentation/workflows.md. Running it prints pictures.
import PerdureWorkflow

struct Order: Codable, Sendable { var id: String, lines: [String], total: Int }
struct Reservation: Codable, Sendable { var id: String, lines: [String], total: Int }
struct Receipt: Codable, Sendable { var number: Int }
struct Parcel: Codable, Sendable { var weight: Int }
struct Shipment: Codable, Sendable { var tracking: String, arrives: Int64 }
struct Confirmation: Codable, Sendable { var by: String }

enum Shop {
    static func reserve(_ order: Order) async throws -> Reservation {
        Reservation(id: order.id, lines: order.lines, total: order.total)
    }
    static func charge(_ it: Reservation, key: String) async throws -> Receipt { Receipt(number: it.total) }
    static func pack(_ line: String) async throws -> Int { line.utf8.count }
    static func ship(_ parcel: Parcel, paidBy receipt: Receipt) async throws -> Shipment {
        Shipment(tracking: "\(receipt.number)-\(parcel.weight)", arrives: 0)
    }
    static func mail(_ text: String) async throws {}
}

// snippet.first
let fulfilment = Workflow("fulfil-order", version: "1") {
    Step("reserve") { (order: Order) in try await Shop.reserve(order) }
        .retry(.exponential(attempts: 5))
        .timeout(.seconds(30))
    Parallel {
        Step("charge") { (it: Reservation, context: StepContext) in
            try await Shop.charge(it, key: "\(context.runID)/\(context.step)")
        }
        Branch {
            Step("pick") { (it: Reservation) in it.lines }
            ForEach("wrap", limit: 4) { (line: String) in try await Shop.pack(line) }
            Step("pack") { (weights: [Int]) in Parcel(weight: weights.reduce(0, +)) }
        }
    }
    Join("ship") { (receipt: Receipt, parcel: Parcel) in try await Shop.ship(parcel, paidBy: receipt) }
}
// snippet.end

// snippet.waits
let delivery = Workflow("deliver") {
    Sleep("cool off", for: .seconds(24 * 3600))
    SleepUntil("day of arrival") { (shipment: Shipment) in shipment.arrives }
    WaitForSignal("received", Confirmation.self, timeout: .seconds(7 * 24 * 3600)) {
        (shipment: Shipment, signal: Confirmation?) in
        signal.map { "received by \($0.by)" } ?? "lost: \(shipment.tracking)"
    }
    Step("tell") { (outcome: String) in try await Shop.mail(outcome) }
}
// snippet.end

// snippet.child
let sale = Workflow("sell") {
    Child("fulfil", fulfilment)
    Child("deliver", delivery)
}
// snippet.end

// snippet.conditions
let pricing = Workflow("price") {
    // Input and output are of one type: where the condition does not hold the input is passed on.
    Step("discount") { (total: Int) in total * 9 / 10 }.when { $0 > 100 }
    // Otherwise there must be a default.
    Step("label") { (total: Int) in "expensive: \(total)" }.when({ $0 > 1_000 }, otherwise: "cheap")
}
// snippet.end

// snippet.failures
struct TooBusy: Error {}

let careful = Workflow("careful", configuration: .init(retry: .none, stepTimeout: .seconds(5))) {
    Step("ask") { (question: String) in question.count }
        .retry(.linear(attempts: 3, delay: .milliseconds(200), retrying: { $0 is TooBusy }))
        .timeout(.milliseconds(500))
        .continueOnError()
    Step("go on") { (answer: Int?) in answer ?? 0 }
        .concurrency(key: "desk", limit: 2)
    Step("pay out") { (amount: Int) in print(amount) }
        .atMostOnce()
}
// snippet.end

// snippet.validation
struct Transfer: Codable, Sendable, Validatable {
    var amount: Int

    func validate() throws {
        if self.amount <= 0 { throw ValidationError("a transfer moves more than nothing") }
    }
}

let transfers = Workflow("transfer") {
    Step("book") { (transfer: Transfer) in transfer.amount }
        .validate { if $0.amount > 10_000 { throw ValidationError("large transfers need a person") } }
}
// snippet.end

// snippet.reuse
struct Notice: FlowPart {
    let subject: String

    var parts: Flow<Shipment, Done> {
        Step("write") { (shipment: Shipment) in "\(subject): \(shipment.tracking)" }
        Step("send") { (text: String) in try await Shop.mail(text) }
    }
}

let notified = Workflow("fulfil-and-tell") {
    Child("fulfil", fulfilment)
    Notice(subject: "Your order")
}
// snippet.end

// snippet.state
extension RunStateKey where Value == Int {
    static let seats = RunStateKey("seats", default: 0)
}
// snippet.end

// snippet.pictures
let statuses: [String: StepStatus] = ["reserve": .completed, "charge": .running]
print(fulfilment.text(statuses: statuses))
print(fulfilment.mermaid(statuses: statuses))
// snippet.end

// snippet.violations
let broken = Workflow("broken") {
    ForEach("each", limit: 0) { (line: String) in line }
    Step("each") { (lines: [String]) in lines.count }
}
for violation in broken.violations { print(violation) }
// snippet.end

for violations in [delivery.violations, sale.violations, pricing.violations, careful.violations]
where !violations.isEmpty {
    print(violations)
}
