/// A first-in, first-out queue: adding and taking cost the same however long it is.
public struct FIFO<Element> {
    /// The elements from `head` on; those before are gone.
    @usableFromInline var elements: [Element?] = []
    @usableFromInline var head = 0

    /// Makes an empty queue.
    @inlinable public init() {}

    /// How many there are.
    @inlinable public var count: Int { self.elements.count - self.head }
    /// Whether there are none.
    @inlinable public var isEmpty: Bool { self.head == self.elements.count }

    /// Adds an element behind the others.
    @inlinable public mutating func append(_ element: Element) { self.elements.append(element) }

    /// Takes out the element that came first.
    @inlinable public mutating func popFirst() -> Element? {
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
    @inlinable public mutating func removeFirst(where predicate: (Element) -> Bool) -> Element? {
        for index in self.head..<self.elements.count {
            if let element = self.elements[index], predicate(element) {
                self.elements.remove(at: index)
                return element
            }
        }
        return nil
    }

    /// Takes out everything, in order.
    @inlinable public mutating func removeAll() -> [Element] {
        defer {
            self.elements = []
            self.head = 0
        }
        return self.elements[self.head...].compactMap { $0 }
    }
}

extension FIFO: Sendable where Element: Sendable {}
