/// What is to be done at which time, as a plain value: the loop asks it how long it may sleep, and what is due.
///
/// Timers of the same deadline are due in the order in which they were set.
package struct TimerHeap<Content> {
    /// Names a timer, so that it can be called off.
    package struct ID: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct Entry {
        let deadline: Duration
        let id: ID

        func precedes(_ other: Entry) -> Bool {
            self.deadline != other.deadline
                ? self.deadline < other.deadline : self.id.number < other.id.number
        }
    }

    /// A binary heap; a timer that was called off stays in it until it comes to the top or there are too many of them.
    private var heap: [Entry] = []
    private var contents: [ID: Content] = [:]
    private var lastNumber: UInt64 = 0

    package init() {}

    package var count: Int { self.contents.count }

    /// When the first timer is due; nil when there is none.
    package var nextDeadline: Duration? {
        mutating get {
            self.dropCancelled()
            return self.heap.first?.deadline
        }
    }

    /// Sets a timer.
    package mutating func add(_ content: Content, at deadline: Duration) -> ID {
        self.lastNumber += 1
        let id = ID(number: self.lastNumber)
        self.contents[id] = content
        self.heap.append(Entry(deadline: deadline, id: id))
        self.siftUp(from: self.heap.count - 1)
        return id
    }

    /// Calls a timer off; nothing happens when it was due already.
    package mutating func cancel(_ id: ID) {
        guard self.contents.removeValue(forKey: id) != nil else { return }
        if self.heap.count > 64, self.heap.count > 2 * self.contents.count {
            let contents = self.contents
            self.heap.removeAll { contents[$0.id] == nil }
            self.heap.sort { $0.precedes($1) }
        }
    }

    /// Takes the first timer whose deadline is not after `now`.
    package mutating func popDue(at now: Duration) -> Content? {
        self.dropCancelled()
        guard let first = self.heap.first, first.deadline <= now else { return nil }
        self.removeFirst()
        return self.contents.removeValue(forKey: first.id)
    }

    // MARK: The heap

    private mutating func dropCancelled() {
        while let first = self.heap.first, self.contents[first.id] == nil { self.removeFirst() }
    }

    private mutating func removeFirst() {
        let last = self.heap.removeLast()
        guard !self.heap.isEmpty else { return }
        self.heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < self.heap.count {
                if self.heap[child].precedes(self.heap[least]) { least = child }
            }
            if least == parent { return }
            self.heap.swapAt(parent, least)
            parent = least
        }
    }

    private mutating func siftUp(from index: Int) {
        var child = index
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.heap[child].precedes(self.heap[parent]) else { return }
            self.heap.swapAt(child, parent)
            child = parent
        }
    }
}
