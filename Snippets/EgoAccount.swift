// eGo's sample, an account that is created and credited, with states that eGo services can read and write.
import PerdureSQLite

// snippet.message
/// `samplepb.Account { string account_id = 1; double account_balance = 2; }`.
///
/// With swift-protobuf this type is generated; here it is written out, so that the program stands alone.
struct Account: ProtobufMessage {
    static let protoMessageName = "samplepb.Account"
    var accountID = ""
    var accountBalance = 0.0
}
// snippet.end

// snippet.behavior
struct AccountBehavior: DurableStateBehavior {
    enum Command: Sendable {
        case createAccount(balance: Double)
        case creditAccount(amount: Double)
    }
    enum Rejection: Error { case exists, doesNotExist }

    let id: String
    let initialState = Account()

    func handle(_ command: Command, in account: Account) throws(Rejection) -> Effect<Account> {
        switch command {
        case .createAccount(let balance):
            guard account.accountID.isEmpty else { throw .exists }
            return .persist(Account(accountID: self.id, accountBalance: balance))
        case .creditAccount(let amount):
            guard !account.accountID.isEmpty else { throw .doesNotExist }
            return .persist(Account(accountID: self.id, accountBalance: account.accountBalance + amount))
        }
    }
}
// snippet.end

// snippet.use
let engine = StateEngine(store: InMemoryStateStore()) {
    Behaviors(AccountBehavior.self) { id in AccountBehavior(id: id) }
}
let account = engine.entity(AccountBehavior.self, "account-42")
try await account.send(.createAccount(balance: 500))
let credited = try await account.send(.creditAccount(amount: 250))
print(credited.state.accountBalance, credited.version)  // 750.0 2
try await engine.stop()
// snippet.end

// What swift-protobuf generates otherwise: the two fields in protobuf's binary format.
extension Account {
    struct Malformed: Error {}

    init(protobufBytes bytes: [UInt8]) throws {
        var rest = bytes[...]
        while let tag = rest.popFirst() {
            switch tag {
            case 0x0a:
                // Short texts only: their length is one byte.
                guard let length = rest.popFirst(), length < 0x80, rest.count >= Int(length),
                    let text = String(validating: rest.prefix(Int(length)), as: UTF8.self)
                else { throw Malformed() }
                self.accountID = text
                rest.removeFirst(Int(length))
            case 0x11:
                guard rest.count >= 8 else { throw Malformed() }
                let bits = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                self.accountBalance = Double(bitPattern: bits)
                rest.removeFirst(8)
            default:
                throw Malformed()
            }
        }
    }

    func protobufBytes() throws -> [UInt8] {
        let id = Array(self.accountID.utf8)
        guard id.count < 0x80 else { throw Malformed() }
        var bytes: [UInt8] = id.isEmpty ? [] : [0x0a, UInt8(id.count)] + id
        if self.accountBalance != 0 {
            bytes.append(0x11)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: self.accountBalance.bitPattern >> ($0 * 8)) }
        }
        return bytes
    }
}
