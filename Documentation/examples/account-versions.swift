import PerdureState

struct AccountV1: Codable, Sendable { var balance = 0 }
struct AccountV2: Codable, Sendable {
    var balance = 0
    init(_ old: AccountV1) { self.balance = old.balance }
}
struct AccountV3: Codable, Sendable {
    var balance = 0
    init(_ old: AccountV1) { self.balance = old.balance }
    init(_ old: AccountV2) { self.balance = old.balance }
}
