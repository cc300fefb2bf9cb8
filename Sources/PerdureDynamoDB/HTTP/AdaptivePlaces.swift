/// How many requests may be under way at once, as the server shows what it can bear.
///
/// A server that has too much to do answers everything late. Whoever gives up on an answer and asks again only adds to what it has to
/// do, as it goes on working on what nobody waits for any more: from some number of requests on, none is answered in time. So the
/// number follows the answers: it begins small, grows with each, and is halved when an answer does not come in time. What waits here
/// meanwhile costs the server nothing.
struct AdaptivePlaces {
    let most: Int
    private(set) var allowed: Double
    /// Whether no answer has been late yet; until then the number grows by one with each answer, then by one with each round of them.
    private var isProbing = true
    private var lastCut = Duration.zero

    private static let first = 4

    init(most: Int) {
        self.most = most
        self.allowed = Double(min(Self.first, most))
    }

    var count: Int { Int(self.allowed) }

    mutating func answered() {
        guard self.allowed < Double(self.most) else { return }
        self.allowed = min(Double(self.most), self.allowed + (self.isProbing ? 1 : 1 / self.allowed))
    }

    /// An answer did not come in time. Of requests that were under way together only the first counts.
    mutating func late(begunAt begin: Duration, now: Duration) {
        guard begin >= self.lastCut else { return }
        self.lastCut = now
        self.isProbing = false
        self.allowed = max(1, self.allowed / 2)
    }
}
