/// What waits to be done together when several batches are under way at once: ``Batcher`` with keys, as a plain value.
///
/// No two elements of one key are ever in hand at the same time, in one batch or in two, and elements of one key are handed out
/// in the order of their coming: the next comes up once the one before is finished. A batch has elements of one kind only,
/// for stores that do each kind of change by a statement of its own.
///
/// Nothing here waits for more to come: whoever is free takes what is there.
struct KeyedBatcher<Key: Hashable, Element> {
    private struct Entry {
        let key: Key
        let kind: Int
        let weight: Int
        /// Counts arrivals, so that kinds take turns fairly.
        let number: UInt64
        let element: Element
    }

    /// What can be taken, a line for each kind.
    private var ready: [Line]
    /// The keys that have an element in a line or in hand, and what waits behind it.
    private var followers: [Key: [Entry]] = [:]
    private var lastNumber: UInt64 = 0
    /// How many elements wait, those behind others of their key included.
    private(set) var count = 0
    /// How many elements can be taken now.
    private(set) var readyCount = 0

    /// Makes an empty batcher for elements of the kinds `0..<kinds`.
    init(kinds: Int) { self.ready = Array(repeating: Line(), count: kinds) }

    /// Whether nothing waits and nothing is in hand.
    var isIdle: Bool { self.followers.isEmpty }

    /// Puts an element at the end of the line. `weight` is what it adds to a batch beyond its number, such as its bytes.
    mutating func append(_ element: consuming Element, key: Key, kind: Int, weight: Int) {
        self.lastNumber += 1
        let entry = Entry(key: key, kind: kind, weight: weight, number: self.lastNumber, element: element)
        self.count += 1
        if self.followers[key]?.append(entry) != nil { return }
        self.followers[key] = []
        self.ready[kind].append(entry)
        self.readyCount += 1
    }

    /// Moves the head of the line, and what follows of its kind, into `batch`, and returns the kind; nil when nothing can be taken.
    ///
    /// Takes at most `maximumCount` elements and, beyond the first, no more than `maximumWeight` of weight. Each must be told
    /// ``finish(_:)`` or ``restore(_:key:kind:weight:atFront:)`` afterwards.
    mutating func take(into batch: inout [Element], maximumCount: Int, maximumWeight: Int) -> Int? {
        var kind: Int?
        var least = UInt64.max
        for (index, line) in self.ready.enumerated() {
            if let first = line.first, first.number < least { (kind, least) = (index, first.number) }
        }
        guard let kind else { return nil }
        var weight = 0
        var taken = 0
        while taken < maximumCount, let first = self.ready[kind].first {
            if taken > 0, weight + first.weight > maximumWeight { break }
            weight += first.weight
            taken += 1
            batch.append(first.element)
            self.ready[kind].removeFirst()
        }
        self.count -= taken
        self.readyCount -= taken
        return kind
    }

    /// The element of `key` that was in hand is done: the next of the key can be taken.
    mutating func finish(_ key: Key) {
        guard var waiting = self.followers[key] else { return }
        guard !waiting.isEmpty else {
            self.followers[key] = nil
            return
        }
        let next = waiting.removeFirst()
        self.followers[key] = waiting
        self.ready[next.kind].append(next)
        self.readyCount += 1
    }

    /// An element that was in hand must be done again: before all others, or in its turn behind those of other keys.
    mutating func restore(
        _ element: consuming Element, key: Key, kind: Int, weight: Int, atFront: Bool = true
    ) {
        if atFront {
            self.ready[kind].prepend(Entry(key: key, kind: kind, weight: weight, number: 0, element: element))
        } else {
            self.lastNumber += 1
            self.ready[kind].append(
                Entry(key: key, kind: kind, weight: weight, number: self.lastNumber, element: element))
        }
        self.count += 1
        self.readyCount += 1
    }

    /// Takes out of the lines, in the order of their coming, the elements that `isWanted` picks. They need not be finished.
    mutating func withdraw(where isWanted: (Element) -> Bool) -> [Element] {
        var taken: [Entry] = []
        func filter(_ entries: [Entry]) -> [Entry] {
            entries.filter { entry in
                guard isWanted(entry.element) else { return true }
                taken.append(entry)
                return false
            }
        }
        for (key, waiting) in self.followers where !waiting.isEmpty { self.followers[key] = filter(waiting) }
        self.count -= taken.count
        // Those at the front of their key let the next of it come up.
        for kind in self.ready.indices {
            let before = taken.count
            self.ready[kind].replace(with: filter(self.ready[kind].entries))
            let withdrawn = taken[before...]
            self.count -= withdrawn.count
            self.readyCount -= withdrawn.count
            for entry in withdrawn { self.finish(entry.key) }
        }
        return taken.sorted { $0.number < $1.number }.map(\.element)
    }

    /// A line that is joined at the end and left at the front.
    private struct Line {
        private var storage: [Entry?] = []
        private var head = 0

        var first: Entry? { self.head < self.storage.count ? self.storage[self.head] : nil }

        var entries: [Entry] { self.storage[self.head...].compactMap { $0 } }

        mutating func append(_ entry: Entry) { self.storage.append(entry) }

        mutating func prepend(_ entry: Entry) {
            if self.head > 0 {
                self.head -= 1
                self.storage[self.head] = entry
            } else {
                self.storage.insert(entry, at: 0)
            }
        }

        mutating func removeFirst() {
            self.storage[self.head] = nil
            self.head += 1
            if self.head == self.storage.count {
                self.storage.removeAll(keepingCapacity: true)
                self.head = 0
            } else if self.head >= 1_024, self.head * 2 >= self.storage.count {
                self.storage.removeFirst(self.head)
                self.head = 0
            }
        }

        mutating func replace(with entries: [Entry]) {
            self.storage = entries
            self.head = 0
        }
    }
}
