/// The numbers of a connection's requests: which are free, and what waits on those that are not.
///
/// Numbers that were free last are used first, so that few are ever touched.
@usableFromInline
struct CQLStreamTable<Ticket> {
    /// A number's use: the same number has another `use` the next time.
    @usableFromInline
    struct Slot {
        @usableFromInline var occupant: Occupant
        @usableFromInline var use: UInt32
        /// Where in the bytes that are sent its request is.
        @usableFromInline var position: UInt64

        @inlinable
        init(occupant: Occupant, use: UInt32, position: UInt64) {
            self.occupant = occupant
            self.use = use
            self.position = position
        }
    }

    @usableFromInline
    enum Occupant {
        /// The next free number, or -1.
        case free(next: Int32)
        /// A caller waits.
        case request(Ticket)
        /// Nobody waits any more, but the answer may still come: the number cannot be used before.
        case orphan
        /// The connection's own heartbeat.
        case heartbeat
    }

    @usableFromInline var slots: [Slot] = []
    @usableFromInline var firstFree: Int32 = -1
    @usableFromInline let capacity: Int
    /// How many callers wait.
    @usableFromInline var requestCount = 0
    /// How many answers may still come that nobody waits for.
    @usableFromInline var orphanCount = 0

    init(capacity: Int) { self.capacity = min(max(1, capacity), 32768) }

    /// Takes a number; nil where all are in use.
    @inlinable
    mutating func open(_ occupant: Occupant, position: UInt64) -> CQLStream? {
        if case .request = occupant { self.requestCount += 1 }
        let number = self.firstFree
        if number >= 0 {
            let index = Int(number)
            guard case .free(let next) = self.slots[index].occupant else { return nil }
            self.firstFree = next
            self.slots[index].occupant = occupant
            self.slots[index].use &+= 1
            self.slots[index].position = position
            return CQLStream(number: Int16(truncatingIfNeeded: number), use: self.slots[index].use)
        }
        guard self.slots.count < self.capacity else {
            if case .request = occupant { self.requestCount -= 1 }
            return nil
        }
        self.slots.append(Slot(occupant: occupant, use: 0, position: position))
        return CQLStream(number: Int16(truncatingIfNeeded: self.slots.count - 1), use: 0)
    }

    /// Gives a number back, its answer having come; nil where it was not in use.
    @inlinable
    mutating func close(_ number: Int16) -> Occupant? {
        let index = Int(number)
        guard self.slots.indices.contains(index) else { return nil }
        let occupant = self.slots[index].occupant
        switch occupant {
        case .free: return nil
        case .request: self.requestCount -= 1
        case .orphan: self.orphanCount -= 1
        case .heartbeat: break
        }
        self.slots[index].occupant = .free(next: self.firstFree)
        self.firstFree = Int32(number)
        return occupant
    }

    /// Nobody waits on a number any more; nil where that use of it is over.
    @inlinable
    mutating func orphan(_ stream: CQLStream) -> Ticket? {
        let index = Int(stream.number)
        guard self.slots.indices.contains(index), self.slots[index].use == stream.use,
            case .request(let ticket) = self.slots[index].occupant
        else { return nil }
        self.slots[index].occupant = .orphan
        self.requestCount -= 1
        self.orphanCount += 1
        return ticket
    }

    /// Gives everything back; all who waited, in the order of their numbers.
    mutating func closeAll() -> [(ticket: Ticket, position: UInt64)] {
        var tickets: [(ticket: Ticket, position: UInt64)] = []
        for slot in self.slots {
            if case .request(let ticket) = slot.occupant { tickets.append((ticket, slot.position)) }
        }
        self.slots.removeAll()
        self.firstFree = -1
        self.requestCount = 0
        self.orphanCount = 0
        return tickets
    }
}

extension CQLStreamTable: Sendable where Ticket: Sendable {}
extension CQLStreamTable.Slot: Sendable where Ticket: Sendable {}
extension CQLStreamTable.Occupant: Sendable where Ticket: Sendable {}

/// One use of a number on a connection: what a request is known by until it is answered.
public struct CQLStream: Sendable, Hashable {
    /// The number on the wire.
    public let number: Int16
    /// Which use of the number.
    @usableFromInline let use: UInt32

    @usableFromInline
    init(number: Int16, use: UInt32) {
        self.number = number
        self.use = use
    }
}
