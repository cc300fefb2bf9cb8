/// Values in the order in which they came, each found by its key.
///
/// Most runs have a handful of steps, for which comparing is faster than hashing; a loop can have thousands.
struct KeyedList<Key: Hashable, Value> {
    private(set) var keys: [Key] = []
    private(set) var values: [Value] = []
    /// Where each key is; only once there are many.
    private var places: [Key: Int] = [:]

    private static var few: Int { 16 }

    var count: Int { self.values.count }

    func place(of key: Key) -> Int? {
        self.keys.count <= Self.few ? self.keys.lastIndex(of: key) : self.places[key]
    }

    /// Puts `value` in the place of the one of that key, or at the end.
    mutating func set(_ value: Value, for key: Key) {
        if let place = self.place(of: key) {
            self.values[place] = value
            return
        }
        self.keys.append(key)
        self.values.append(value)
        if self.keys.count == Self.few + 1 {
            self.places = Dictionary(uniqueKeysWithValues: zip(self.keys, self.keys.indices))
        } else if self.keys.count > Self.few {
            self.places[key] = self.keys.count - 1
        }
    }

    mutating func change(at place: Int, _ body: (inout Value) -> Void) { body(&self.values[place]) }

    mutating func removeAll(where isUnwanted: (Key) -> Bool) {
        guard self.keys.contains(where: isUnwanted) else { return }
        let kept = self.keys.indices.filter { !isUnwanted(self.keys[$0]) }
        (self.keys, self.values) = (kept.map { self.keys[$0] }, kept.map { self.values[$0] })
        self.places = [:]
        if self.keys.count > Self.few {
            self.places = Dictionary(uniqueKeysWithValues: zip(self.keys, self.keys.indices))
        }
    }
}
