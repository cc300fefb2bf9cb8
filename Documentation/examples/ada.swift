let ada = StateEngine(store: InMemoryStateStore()) { BankAccount() }.entity(BankAccount.self, "ada")
