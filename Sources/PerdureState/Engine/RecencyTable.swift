/// Values by ID, in the order of their last use: finding, adding and moving to the front cost the same however many there are.
///
/// A plain value: the time is handed in.
struct RecencyTable<Value> {
    private struct Slot {
        var key: IDKey
        var value: Value
        var lastUsed: Duration
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

    /// The value of `key`, which counts as used now.
    mutating func use(_ key: IDKey, at now: Duration) -> Value? {
        guard let place = self.places[key] else { return nil }
        self.slots[place]?.lastUsed = now
        if place != self.newest {
            self.unlink(place)
            self.linkAsNewest(place)
        }
        return self.slots[place]?.value
    }

    /// The value of `key`, whose place in the order stays.
    func peek(_ key: IDKey) -> Value? { self.places[key].flatMap { self.slots[$0]?.value } }

    /// Adds a value under a key that has none.
    mutating func insert(_ value: Value, for key: IDKey, at now: Duration) {
        precondition(self.places[key] == nil, "the key has a value already")
        let slot = Slot(key: key, value: value, lastUsed: now, newer: -1, older: -1)
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

    /// Takes out up to `limit` values, oldest first, that were last used at `time` or before and let go when asked.
    ///
    /// Asks at most `limit` and a few more, so that a table full of values that will not go costs little.
    mutating func removeOldest(_ limit: Int, usedUntil time: Duration, if letsGo: (Value) -> Bool) -> [Value] {
        var removed: [Value] = []
        var place = self.oldest
        var asked = 0
        while place >= 0, removed.count < limit, asked < limit &+ 16, let slot = self.slots[place],
            slot.lastUsed <= time
        {
            asked += 1
            if letsGo(slot.value) {
                removed.append(slot.value)
                self.remove(slot.key)
            }
            place = slot.newer
        }
        return removed
    }

    /// All values, in no order.
    var values: [Value] { self.slots.compactMap { $0?.value } }

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
