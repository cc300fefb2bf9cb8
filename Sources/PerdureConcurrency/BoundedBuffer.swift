/// A queue of limited length between those who add and those who take, usually one.
///
/// Who must not lose anything takes a place first (``reserve()``) and fills it later; who may lose the oldest pushes
/// (``push(_:)``). The end is announced by ``finish()``: what is in the buffer can still be taken.
package final class BoundedBuffer<Element: Sendable>: Sendable {
    private struct State {
        var elements = FIFO<Element>()
        var reserved = 0
        var isFinished = false
        /// Elements that made room for others since one was taken.
        var lost = 0
        /// Those who wait for an element; nobody does while there is one.
        var takers = FIFO<(ticket: UInt64, continuation: Taker)>()
        var lastTicket: UInt64 = 0
    }

    /// An element, and how many were lost just before it.
    package typealias Taken = (element: Element, lost: Int)
    private typealias Taker = CheckedContinuation<Taken?, Never>

    private let capacity: Int
    private let state = LockedState(State())

    package init(capacity: Int) {
        precondition(capacity >= 1, "a buffer needs room for at least one element")
        self.capacity = capacity
    }

    package var count: Int { self.state.withLock { $0.elements.count } }

    // MARK: Adding

    /// Takes a place; false when none is free. A place is given up by ``fill(_:)`` or ``release()``.
    package func reserve() -> Bool {
        self.state.withLock { state in
            guard state.elements.count + state.reserved < self.capacity else { return false }
            state.reserved += 1
            return true
        }
    }

    /// Puts an element into a place taken before. After the end it is dropped.
    package func fill(_ element: Element) {
        let taker = self.state.withLock { state -> Taker? in
            state.reserved -= 1
            return Self.add(element, to: &state)
        }
        taker?.resume(returning: (element, 0))
    }

    /// Gives up a place taken before.
    package func release() { self.state.withLock { $0.reserved -= 1 } }

    /// Adds an element, at the cost of the oldest if there is no room; ``take()`` tells how many were lost so.
    package func push(_ element: Element) {
        let taker = self.state.withLock { state -> Taker? in
            let isFull = state.elements.count + state.reserved >= self.capacity
            if isFull, !state.isFinished, state.elements.popFirst() != nil { state.lost += 1 }
            return Self.add(element, to: &state)
        }
        taker?.resume(returning: (element, 0))
    }

    private static func add(_ element: Element, to state: inout State) -> Taker? {
        if state.isFinished { return nil }
        if let taker = state.takers.popFirst() { return taker.continuation }
        state.elements.append(element)
        return nil
    }

    // MARK: Taking

    /// The next element; nil after the end, or when the task is cancelled and there is none.
    package func next() async -> Element? { await self.take()?.element }

    /// The next element, and how many were lost since the one before; nil after the end, or when the task is cancelled and
    /// there is none. Of several tasks that wait, the first one gets it.
    package func take() async -> Taken? {
        let ticket = self.state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (taken, mustWait) = self.state.withLock { state -> (Taken?, Bool) in
                    if let element = state.elements.popFirst() {
                        defer { state.lost = 0 }
                        return ((element, state.lost), false)
                    }
                    if state.isFinished { return (nil, false) }
                    state.takers.append((ticket, continuation))
                    return (nil, true)
                }
                if !mustWait {
                    continuation.resume(returning: taken)
                } else if Task.isCancelled {
                    // Cancelled before it waited: the handler below found nobody.
                    self.withdraw(ticket)
                }
            }
        } onCancel: {
            self.withdraw(ticket)
        }
    }

    private func withdraw(_ ticket: UInt64) {
        let taker = self.state.withLock { state in state.takers.removeFirst { $0.ticket == ticket } }
        taker?.continuation.resume(returning: nil)
    }

    /// Announces the end: nothing is added any more.
    package func finish() {
        let takers = self.state.withLock { state in
            state.isFinished = true
            return state.takers.removeAll()
        }
        for taker in takers { taker.continuation.resume(returning: nil) }
    }

    /// Takes out everything at once.
    package func drain() -> [Element] { self.state.withLock { $0.elements.removeAll() } }
}
