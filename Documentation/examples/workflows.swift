import PerdureWorkflow

struct Order: Codable, Sendable { var id: String }
let store = InMemoryRunStore()
let fulfilment = Workflow("fulfil-order") {
    Step("reserve") { (order: Order) in order }
}
let passengerCare = Workflow("passenger-care") {
    Step("assess") { (order: Order) in order }
}
