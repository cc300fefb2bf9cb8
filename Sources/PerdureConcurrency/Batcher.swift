/// What waits to be done together: the heart of group commit, as a plain value.
///
/// Nothing here waits for more to come. Whoever does the work takes what is there; what arrives meanwhile is the next batch.
/// So an idle store serves a lone request at once, and a busy one merges more the busier it is.
public struct Batcher<Element> {
    @usableFromInline var waiting: [Element] = []
    @usableFromInline var waitingWeight = 0

    @inlinable public init() {}

    @inlinable public var isEmpty: Bool { self.waiting.isEmpty }
    @inlinable public var count: Int { self.waiting.count }

    /// Puts an element at the end of the line. `weight` is what it adds to a batch beyond its number, such as its bytes.
    @inlinable public mutating func append(_ element: consuming Element, weight: Int = 0) {
        self.waiting.append(element)
        self.waitingWeight += weight
    }

    /// Moves the head of the line into `batch`, which must be empty, in the order of arrival.
    ///
    /// Takes at most `maximumCount` elements and, beyond the first, no more than `maximumWeight` of weight.
    @inlinable public mutating func take(
        into batch: inout [Element], maximumCount: Int, maximumWeight: Int = .max, weight: (Element) -> Int = { _ in 0 }
    ) {
        if self.waiting.count <= maximumCount, self.waitingWeight <= maximumWeight {
            // The usual case: the two arrays change places, and neither has to grow again.
            swap(&batch, &self.waiting)
            self.waitingWeight = 0
            return
        }
        var count = 0
        var total = 0
        for element in self.waiting.prefix(maximumCount) {
            let weight = weight(element)
            if count > 0, total + weight > maximumWeight { break }
            count += 1
            total += weight
        }
        batch.append(contentsOf: self.waiting.prefix(count))
        self.waiting.removeFirst(count)
        self.waitingWeight -= total
    }

    /// Takes out of the line, in their order, the elements that `isWanted` picks.
    @inlinable public mutating func withdraw(
        weight: (Element) -> Int = { _ in 0 }, where isWanted: (Element) -> Bool
    ) -> [Element] {
        var taken: [Element] = []
        self.waiting.removeAll { element in
            guard isWanted(element) else { return false }
            taken.append(element)
            return true
        }
        for element in taken { self.waitingWeight -= weight(element) }
        return taken
    }
}
