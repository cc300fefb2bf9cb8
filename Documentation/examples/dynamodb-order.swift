import PerdureWorkflow

struct Order: Codable, Sendable { var id: String }
let fulfilment = Workflow("fulfil-order") {
    Step("reserve") { (order: Order) in order }
}
