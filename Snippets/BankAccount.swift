// An account that survives crashes: the program of Documentation/getting-started.md.
import PerdureSQLite

// snippet.behavior
struct BankAccount: DurableStateBehavior {
    struct State: Codable, Sendable { var balance = 0 }
    enum Command: Sendable { case deposit(Int), withdraw(Int) }
    enum Rejection: Error { case insufficientFunds(short: Int) }

    let initialState = State()

    func handle(_ command: Command, in state: State) throws(Rejection) -> Effect<State> {
        switch command {
        case .deposit(let amount):
            return .persist(State(balance: state.balance + amount))
        case .withdraw(let amount):
            guard amount <= state.balance else { throw .insufficientFunds(short: amount - state.balance) }
            return .persist(State(balance: state.balance - amount))
        }
    }
}
// snippet.end

// snippet.use
let store = try SQLiteStore("bank.sqlite")
let engine = StateEngine(store: store) { BankAccount() }
let ada = engine.entity(BankAccount.self, "ada")
let account = try await ada.send(.deposit(10))
print("Ada has \(account.state.balance), version \(account.version)")
// snippet.end

// snippet.errors
do throws(CommandError<BankAccount.Rejection>) {
    try await ada.send(.withdraw(1_000))
} catch {
    switch error {
    case .rejected(.insufficientFunds(let short)): print("Ada is \(short) short")
    case .overloaded, .contended: print("try again in a moment")
    case let error where error.outcome == .unknown: print("it may have happened: look before doing it again")
    default: print("nothing happened: \(error)")
    }
}
// snippet.end

// snippet.changes
let watching = Task {
    for await change in ada.changes() {
        print("version \(change.version): \(change.state?.balance ?? 0)")
    }
}
// snippet.end

// snippet.run
let running = Task { try await engine.run() }
try await ada.send(.deposit(5))
running.cancel()
try await running.value
await watching.value
await store.disconnect()
// snippet.end
