// Definitions that must compile; see `TypingTests`.
import PerdureWorkflow

struct Order: Codable, Sendable { var id = "" }
struct Reservation: Codable, Sendable { var seats = 0 }
struct Receipt: Codable, Sendable { var total = 0 }
struct Parcel: Codable, Sendable { var weight = 0 }
struct Shipment: Codable, Sendable { var tracking = "" }

@Sendable func reserve(_ order: Order) async throws -> Reservation { Reservation() }
@Sendable func charge(_ reservation: Reservation, _ context: StepContext) async throws -> Receipt { Receipt() }
@discardableResult @Sendable func log(_ shipment: Shipment) async throws -> Int { 1 }
@Sendable func tell(_ shipment: Shipment) async throws {}

func twelveParts() -> Workflow<Order, Done> {
    Workflow("fulfil-order", version: "2", configuration: .init(retry: .none, retention: .seconds(3600))) {
        Sleep("a moment", for: .seconds(1))
        Step("reserve", reserve).retry(.exponential(attempts: 5)).timeout(.milliseconds(500))
        Step("check") { (it: Reservation) in it }.when { $0.seats > 3 }.validate {
            if $0.seats < 0 { throw ValidationError("seats") }
        }
        Parallel {
            Step("charge", charge).atMostOnce()
            Branch {
                Sleep("cool off", for: .seconds(60))
                Step("pick") { (it: Reservation) in Array(repeating: "seat", count: it.seats) }
                ForEach("wrap", limit: 4) { (seat: String) in seat.count }.concurrency(key: "table", limit: 2)
                Step("pack") { (weights: [Int], context: StepContext) in
                    var parcel = Parcel()
                    for weight in weights { parcel.weight += weight }
                    if context.attempt > 1 { print("again") }
                    return parcel
                }
            }
            Step("insure") { (it: Reservation) in it.seats }.continueOnError()
        }
        Join("ship") { (receipt: Receipt, parcel: Parcel, insurance: Int?) in
            Shipment(tracking: "\(receipt.total) \(parcel.weight) \(insurance ?? 0)")
        }
        .timeout(.seconds(5)).when({ $0.second.weight > 0 }, otherwise: Shipment())
        WaitForSignal("arrived", Bool.self, timeout: .seconds(3600)) { (shipment: Shipment, arrived: Bool?) in
            arrived == true ? shipment : Shipment(tracking: "lost")
        }
        SleepUntil("a day later") { (shipment: Shipment) in Int64(shipment.tracking.utf8.count) }
        WaitForSignal("rated", Int.self) { (shipment: Shipment, stars: Int, context: StepContext) in shipment }
        Step("log") { (shipment: Shipment) in try await log(shipment) }
        Step("number") { (number: Int) in Shipment(tracking: "\(number)") }
        Step("tell") { (shipment: Shipment) in try await tell(shipment) }
        Step("end") { (_: Done) in }
    }
}
