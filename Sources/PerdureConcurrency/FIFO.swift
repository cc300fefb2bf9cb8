/// A first-in, first-out queue: adding and taking cost the same however long it is.
package struct FIFO<Element> {
    /// The elements from `head` on; those before are gone.
    private var elements: [Element?] = []
    private var head = 0

    package init() {}

    package var count: Int { self.elements.count - self.head }
    package var isEmpty: Bool { self.head == self.elements.count }

    package mutating func append(_ element: Element) { self.elements.append(element) }

    package mutating func popFirst() -> Element? {
        guard self.head < self.elements.count else { return nil }
        let element = self.elements[self.head].take()
        self.head += 1
        if self.head == self.elements.count {
            self.elements.removeAll(keepingCapacity: self.elements.count <= 64)
            self.head = 0
        } else if self.head >= 64, self.head * 2 >= self.elements.count {
            self.elements.removeFirst(self.head)
            self.head = 0
        }
        return element
    }

    /// Takes out the first element of which `predicate` is true; costs a walk.
    package mutating func removeFirst(where predicate: (Element) -> Bool) -> Element? {
        for index in self.head..<self.elements.count {
            if let element = self.elements[index], predicate(element) {
                self.elements.remove(at: index)
                return element
            }
        }
        return nil
    }

    /// Takes out everything, in order.
    package mutating func removeAll() -> [Element] {
        defer {
            self.elements = []
            self.head = 0
        }
        return self.elements[self.head...].compactMap { $0 }
    }
}
