import PerdureWorkflow

struct Order: Codable, Sendable {}
struct Reservation: Codable, Sendable {}
struct Goods: Codable, Sendable {}
struct Hold: Codable, Sendable {}
struct Receipt: Codable, Sendable { var total: Int }
struct Parcel: Codable, Sendable {}
struct Shipment: Codable, Sendable {}
struct Passenger: Codable, Sendable {}
struct Confirmation: Codable, Sendable { var agent: String }
struct Booking: Codable, Sendable {
    struct Departure: Codable, Sendable { var unixMilliseconds: Int64 }
    var departure: Departure
    func confirmed(by agent: String?) -> Booking { self }
}

struct Bank: Sendable {
    func authorise(_ order: Order) async throws -> Hold { Hold() }
    func capture(_ hold: Hold) async throws -> Receipt { Receipt(total: 0) }
    func charge(_ it: Reservation) async throws -> Receipt { Receipt(total: 0) }
}
struct Warehouse: Sendable { func reserve(_ order: Order) async throws -> Reservation { Reservation() } }
struct Floor: Sendable {
    func pick(_ it: Reservation) async throws -> Goods { Goods() }
    func pack(_ goods: Goods) async throws -> Parcel { Parcel() }
    func pack(_ it: Reservation) async throws -> Parcel { Parcel() }
}
struct Carrier: Sendable {
    func ship(_ parcel: Parcel, paidBy receipt: Receipt) async throws -> Shipment { Shipment() }
}
struct Desk: Sendable { func rebook(_ passenger: Passenger) async throws -> Booking { throw CancellationError() } }
let (bank, warehouse, floor, carrier, desk) = (Bank(), Warehouse(), Floor(), Carrier(), Desk())
