// A bank that can be killed at any moment: no money is lost and none is doubled. See README.md.
import Glibc
import PerdureSQLite

@main
enum Bank {
    static let names = ["ada", "ben", "cleo", "dan", "eve", "fay", "gus", "hal"]
    static let openingBalance = 1_000

    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let file = arguments.first, let count = Int(arguments.dropFirst().first ?? "400"), count > 0 else {
            print("usage: Bank FILE [TRANSFERS]")
            exit(2)
        }
        let store = try SQLiteStore(file)
        let accounts = StateEngine(store: store) { Account() }
        let transfer = Workflow.transfer(between: accounts)
        let engine = try WorkflowEngine(store: store) { transfer }

        // Opening an account that is there already does nothing, and so does starting a transfer again under the same ID: all of this
        // can be run as often as one likes.
        for name in self.names {
            try await accounts.entity(Account.self, name).send(.open(balance: self.openingBalance))
        }
        try await accounts.entity(Account.self, "hal").send(.close)

        let working = Task { try await engine.run() }
        let tally = try await withThrowingTaskGroup(of: Outcome.self) { group in
            for number in 1...count {
                group.addTask { try await engine.execute(transfer, self.order(number), id: "transfer-\(number)") }
            }
            var tally: [Outcome: Int] = [:]
            for try await outcome in group {
                tally[outcome, default: 0] += 1
                let ended = tally.values.reduce(0, +)
                if ended.isMultiple(of: 50) { self.say("\(ended) of \(count) transfers have ended") }
            }
            return tally
        }
        working.cancel()
        try await working.value

        self.say(
            "\(tally[.arrived] ?? 0) arrived, \(tally[.givenBack] ?? 0) were given back, \(tally[.refused] ?? 0) were refused"
        )
        var total = 0
        for name in self.names {
            let account = try await accounts.entity(Account.self, name).send(.look).state
            self.say("\(name) has \(account.balance)\(account.isOpen ? "" : " and is closed")")
            total += account.balance
        }
        let expected = self.names.count * self.openingBalance
        self.say("all have \(total), and it should be \(expected)")
        try await accounts.stop()
        await store.disconnect()
        exit(total == expected ? 0 : 1)
    }

    /// The transfer of a number; the same whenever it is asked for.
    private static func order(_ number: Int) -> Transfer {
        let names = self.names.count
        let from = number % (names - 1)
        let to = (from + 1 + number / names % (names - 1)) % names
        // Now and then somebody wants to give more than all there is.
        let amount = number.isMultiple(of: 40) ? 100_000 : 1 + number % 9
        return Transfer(from: self.names[from], to: self.names[to], amount: amount)
    }

    /// Prints a line at once, also into a pipe.
    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
