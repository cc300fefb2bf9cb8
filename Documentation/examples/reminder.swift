import PerdureTestKit

struct Customer: Codable, Sendable { var address: String }
struct Mail: Codable, Sendable { var to: String }
let ada = Customer(address: "ada@bank.example")
let reminder = Workflow("reminder") {
    Sleep("a month", for: .seconds(30 * 24 * 3600))
    Step("remind") { (customer: Customer) in Mail(to: customer.address) }
}
