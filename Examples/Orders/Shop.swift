/// The world outside: a till that is busy at first, and customers with cards. It lives in memory, so it forgets with the process; a real
/// one would be a payment service, which does nothing twice under one key.
actor Shop {
    struct TillBusy: Error {}
    struct CardDeclined: Error {}

    private var attempts: [String: Int] = [:]
    private var declined: Set<String> = []
    private var charged: [String: Receipt] = [:]

    func decline(cardOf order: String) { self.declined.insert(order) }
    func accept(cardOf order: String) { self.declined.remove(order) }

    /// Takes money, once for each key.
    func charge(_ cents: Int, for order: String, key: String) throws -> Receipt {
        if let receipt = self.charged[key] { return receipt }
        if self.declined.contains(order) { throw CardDeclined() }
        self.attempts[key, default: 0] += 1
        guard self.attempts[key, default: 0] > 2 else { throw TillBusy() }
        let receipt = Receipt(cents: cents, key: key)
        self.charged[key] = receipt
        return receipt
    }

    /// Gives money back, once for each key.
    func payBack(_ receipt: Receipt, key: String) throws { self.charged[receipt.key] = nil }
}
