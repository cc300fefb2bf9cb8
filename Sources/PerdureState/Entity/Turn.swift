internal import PerdureConcurrency

/// Who may work on an entity: one at a time, in the order of arrival.
///
/// A plain value without lock or clock; whoever owns it guards it. A turn that is passed on goes straight to the next in line, so
/// nobody can overtake.
struct Turn<Waiter> {
    /// What names a place in the line.
    typealias Ticket = UInt64

    /// Whether somebody works at the moment.
    private(set) var isTaken = false
    private var line = FIFO<(ticket: Ticket, waiter: Waiter)>()
    private var lastTicket: Ticket = 0
    /// How many are on their way to the line.
    private var expected = 0

    /// How many stand in the line.
    var inLine: Int { self.line.count }

    /// How many wait, those on their way included.
    var waiting: Int { self.line.count + self.expected }

    /// Whether nobody works, nor will unless somebody comes who is not known yet.
    var isIdle: Bool { !self.isTaken && self.expected == 0 }

    /// Takes the turn if it is free.
    mutating func takeIfFree() -> Bool {
        if self.isTaken { return false }
        self.isTaken = true
        return true
    }

    /// A name for a place in the line, to ``leave(_:)`` by; used once.
    mutating func makeTicket() -> Ticket {
        self.lastTicket += 1
        return self.lastTicket
    }

    /// Joins the end of the line; ``pass()`` will hand out `waiter` when its turn has come.
    mutating func join(_ waiter: Waiter, _ ticket: Ticket) {
        self.line.append((ticket, waiter))
    }

    /// Gives somebody a place in the line for whom ``arrive(_:)`` will be called.
    mutating func expect() { self.expected += 1 }

    /// Joins the end of the line, as was said by ``expect()``; true for who has the turn at once instead.
    mutating func arrive(_ waiter: Waiter) -> Bool {
        self.expected -= 1
        if self.takeIfFree() { return true }
        self.join(waiter, self.makeTicket())
        return false
    }

    /// Leaves the line; nil for who is not in it, or whose turn had come already.
    mutating func leave(_ ticket: Ticket) -> Waiter? {
        self.line.removeFirst { $0.ticket == ticket }?.waiter
    }

    /// Ends one's turn: the next in line has it now and must be told, or it is free.
    mutating func pass() -> Waiter? {
        if let next = self.line.popFirst() { return next.waiter }
        self.isTaken = false
        return nil
    }
}
