import PerdureSQLite

/// Money that is to go from one account to another.
struct Transfer: Codable, Sendable {
    var from: String
    var to: String
    var amount: Int
}

/// How a transfer ended.
enum Outcome: String, Codable, Sendable {
    case arrived
    case givenBack
    case refused
}

extension Workflow where Input == Transfer, Output == Outcome {
    /// Takes the money, brings it, and if the receiver does not want it gives it back.
    ///
    /// Between two steps the money is in neither account: it is in the run, which is on disk, and goes on after a crash. A step that
    /// runs a second time books nothing a second time, for it has the same key both times.
    static func transfer(between accounts: StateEngine) -> Workflow {
        Workflow("transfer", configuration: .init(retry: .exponential(attempts: 20, delay: .milliseconds(100)))) {
            // A refusal is an answer, on which the next steps go on. Any other error leaves open whether the money was moved: such a
            // step is tried again, and only by itself; nothing is given back that may have arrived.
            Step("withdraw") { (transfer: Transfer, context: StepContext) in
                let command = Account.Command.withdraw(transfer.amount, key: context.idempotencyKey)
                return try await accounts.book(command, on: transfer.from) ? transfer : nil
            }
            Step("deposit") { (transfer: Transfer?, context: StepContext) in
                guard let transfer else { return Outcome.refused }
                let command = Account.Command.deposit(transfer.amount, key: context.idempotencyKey)
                return try await accounts.book(command, on: transfer.to) ? .arrived : .givenBack
            }
            Step("give back") { (outcome: Outcome, context: StepContext) in
                if let transfer = try context.output(of: "withdraw", as: Transfer.self) {
                    let command = Account.Command.deposit(transfer.amount, key: context.idempotencyKey)
                    _ = try await accounts.book(command, on: transfer.from)
                }
                return outcome
            }
            .when { $0 == .givenBack }
        }
    }
}

extension StateEngine {
    /// Sends a command to an account: true when it is booked, false when the account refuses it.
    fileprivate func book(_ command: Account.Command, on account: String) async throws -> Bool {
        do throws(CommandError<Account.Rejection>) {
            try await self.entity(Account.self, account).send(command)
            return true
        } catch {
            guard case .rejected = error else { throw error }
            return false
        }
    }
}
