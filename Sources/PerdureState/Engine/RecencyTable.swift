/// Values by ID, and which of them were used least recently.
///
/// Using a value costs nothing here: it remembers by itself when it was last used, as a number that only grows, and the table asks
/// when it looks for the oldest. A heap orders the values by what the table was told last. That is never later than the truth, so a
/// value at the top that has not been used since is the oldest of all; one that has been used sinks to its new place.
struct RecencyTable<Value> {
    private struct Slot {
        var key: IDKey
        var value: Value
        /// The last use, as far as the table has been told.
        var seen: UInt64
        /// Tells values apart that were last used at the same moment: who was told of first is older.
        var order: UInt64
        /// Where in the heap it stands.
        var position: Int
    }

    private var places: [IDKey: Int] = [:]
    private var slots: [Slot?] = []
    private var free: [Int] = []
    /// Places of slots, the oldest first.
    private var heap: [Int] = []
    private var lastOrder: UInt64 = 0

    /// So many that will not go are asked in one search; then it is given up until the next.
    private static var patience: Int { 512 }

    var count: Int { self.places.count }

    /// All values, in no order.
    var values: [Value] { self.slots.compactMap { $0?.value } }

    subscript(key: IDKey) -> Value? { self.places[key].flatMap { self.slots[$0]?.value } }

    /// Adds a value, used at `moment`, under a key that has none.
    mutating func insert(_ value: Value, for key: IDKey, at moment: UInt64) {
        precondition(self.places[key] == nil, "the key has a value already")
        self.lastOrder += 1
        let slot = Slot(key: key, value: value, seen: moment, order: self.lastOrder, position: -1)
        let place: Int
        if let reused = self.free.popLast() {
            place = reused
            self.slots[place] = slot
        } else {
            place = self.slots.count
            self.slots.append(slot)
        }
        self.places[key] = place
        self.push(place)
    }

    /// Takes out a key and its value.
    mutating func remove(_ key: IDKey) {
        guard let place = self.places.removeValue(forKey: key) else { return }
        self.pull(place)
        self.slots[place] = nil
        self.free.append(place)
    }

    /// Takes out up to `limit` values, the least recently used first, that were last used before `moment` and let go when asked.
    ///
    /// Asks each value at most once. One that will not go is in use, so it counts as used `now`.
    mutating func removeOldest(
        _ limit: Int, usedBefore moment: UInt64, now: UInt64, lastUse: (Value) -> UInt64, letsGo: (Value) -> Bool
    ) -> [Value] {
        var removed: [Value] = []
        var inUse: [Int] = []
        // Each value may sink once; those that are used during the search have the bound as their only end.
        for _ in 0..<(2 * self.count) {
            guard removed.count < limit, inUse.count < Self.patience, let place = self.heap.first,
                let slot = self.slots[place], slot.seen < moment
            else { break }
            let used = lastUse(slot.value)
            if used > slot.seen {
                self.pull(place)
                self.mark(place, used)
                self.push(place)
            } else if letsGo(slot.value) {
                removed.append(slot.value)
                self.remove(slot.key)
            } else {
                self.pull(place)
                inUse.append(place)
            }
        }
        for place in inUse {
            self.mark(place, now)
            self.push(place)
        }
        return removed
    }

    private mutating func mark(_ place: Int, _ moment: UInt64) {
        self.lastOrder += 1
        let seen = self.slots[place]?.seen ?? 0
        self.slots[place]?.seen = max(moment, seen)
        self.slots[place]?.order = self.lastOrder
    }

    // MARK: The heap

    private mutating func push(_ place: Int) {
        self.heap.append(place)
        self.slots[place]?.position = self.heap.count - 1
        self.rise(from: self.heap.count - 1)
    }

    /// Takes a slot out of the heap, if it is in it.
    private mutating func pull(_ place: Int) {
        guard let position = self.slots[place]?.position, position >= 0 else { return }
        self.swapAt(position, self.heap.count - 1)
        self.heap.removeLast()
        self.slots[place]?.position = -1
        if position < self.heap.count {
            self.rise(from: position)
            self.sink(from: position)
        }
    }

    private mutating func rise(from position: Int) {
        var position = position
        while position > 0, self.isOlder(position, (position - 1) / 2) {
            self.swapAt(position, (position - 1) / 2)
            position = (position - 1) / 2
        }
    }

    private mutating func sink(from position: Int) {
        var position = position
        while true {
            var oldest = position
            let left = 2 * position + 1
            if left < self.heap.count, self.isOlder(left, oldest) { oldest = left }
            if left + 1 < self.heap.count, self.isOlder(left + 1, oldest) { oldest = left + 1 }
            if oldest == position { return }
            self.swapAt(position, oldest)
            position = oldest
        }
    }

    private mutating func swapAt(_ left: Int, _ right: Int) {
        self.heap.swapAt(left, right)
        self.slots[self.heap[left]]?.position = left
        self.slots[self.heap[right]]?.position = right
    }

    private func isOlder(_ left: Int, _ right: Int) -> Bool {
        guard let left = self.slots[self.heap[left]], let right = self.slots[self.heap[right]] else { return false }
        return (left.seen, left.order) < (right.seen, right.order)
    }
}
