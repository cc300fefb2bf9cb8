/// Values by ID, and which of them were used least recently.
///
/// Using a value costs nothing here: it remembers by itself when it was last used, as a number that only grows, and the table asks
/// when it looks for the oldest. Whatever was used since it was last asked moves behind the others then, so that finding the
/// oldest costs the same on average however many there are.
struct RecencyTable<Value> {
    private struct Slot {
        var key: IDKey
        var value: Value
        /// The last use, as far as the table has been told; the order of the links goes by it.
        var seen: UInt64
        var newer: Int
        var older: Int
    }

    /// Where each ID's slot is. Slots are linked by their places; -1 stands for none.
    private var places: [IDKey: Int] = [:]
    private var slots: [Slot?] = []
    private var free: [Int] = []
    private var newest = -1
    private var oldest = -1

    var count: Int { self.places.count }

    /// All values, in no order.
    var values: [Value] { self.slots.compactMap { $0?.value } }

    subscript(key: IDKey) -> Value? { self.places[key].flatMap { self.slots[$0]?.value } }

    /// Adds a value, used at `moment`, under a key that has none.
    mutating func insert(_ value: Value, for key: IDKey, at moment: UInt64) {
        precondition(self.places[key] == nil, "the key has a value already")
        let slot = Slot(key: key, value: value, seen: moment, newer: -1, older: -1)
        let place: Int
        if let reused = self.free.popLast() {
            place = reused
            self.slots[place] = slot
        } else {
            place = self.slots.count
            self.slots.append(slot)
        }
        self.places[key] = place
        self.linkAsNewest(place)
    }

    /// Takes out a key and its value.
    mutating func remove(_ key: IDKey) {
        guard let place = self.places.removeValue(forKey: key) else { return }
        self.unlink(place)
        self.slots[place] = nil
        self.free.append(place)
    }

    /// Takes out up to `limit` values, the least recently used first, that were last used before `moment` and let go when asked.
    ///
    /// Asks each value at most once, and gives up when several in a row will not go.
    mutating func removeOldest(
        _ limit: Int, usedBefore moment: UInt64, lastUse: (Value) -> UInt64, letsGo: (Value) -> Bool
    ) -> [Value] {
        var removed: [Value] = []
        var refusals = 0
        var place = self.oldest
        for _ in 0..<self.count {
            guard removed.count < limit, refusals < 16, place >= 0, let slot = self.slots[place], slot.seen < moment
            else { break }
            let next = slot.newer
            let used = lastUse(slot.value)
            if used > slot.seen {
                // Used since: it goes behind the others, and comes up again in its time.
                self.slots[place]?.seen = used
                if place != self.newest {
                    self.unlink(place)
                    self.linkAsNewest(place)
                }
            } else if letsGo(slot.value) {
                removed.append(slot.value)
                self.remove(slot.key)
            } else {
                refusals += 1
            }
            place = next
        }
        return removed
    }

    private mutating func linkAsNewest(_ place: Int) {
        self.slots[place]?.newer = -1
        self.slots[place]?.older = self.newest
        if self.newest >= 0 { self.slots[self.newest]?.newer = place } else { self.oldest = place }
        self.newest = place
    }

    private mutating func unlink(_ place: Int) {
        guard let slot = self.slots[place] else { return }
        if slot.newer >= 0 { self.slots[slot.newer]?.older = slot.older } else { self.newest = slot.older }
        if slot.older >= 0 { self.slots[slot.older]?.newer = slot.newer } else { self.oldest = slot.newer }
    }
}
