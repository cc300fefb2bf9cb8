/// A heap: the smallest element is at hand, in and out cost the logarithm of the count.
struct MinHeap<Element: Comparable> {
    private(set) var elements: [Element] = []

    var first: Element? { self.elements.first }
    var count: Int { self.elements.count }
    var isEmpty: Bool { self.elements.isEmpty }

    mutating func insert(_ element: Element) {
        self.elements.append(element)
        var child = self.elements.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.elements[child] < self.elements[parent] else { return }
            self.elements.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popFirst() -> Element? {
        guard let last = self.elements.popLast() else { return nil }
        guard let first = self.elements.first else { return last }
        self.elements[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in (2 * parent + 1)...(2 * parent + 2)
            where child < self.elements.count && self.elements[child] < self.elements[smallest] {
                smallest = child
            }
            if smallest == parent { return first }
            self.elements.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
