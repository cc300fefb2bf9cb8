/// A queue of limited length between those who add and one who takes.
///
/// Who must not lose anything takes a place first (``reserve()``) and fills it later; who may lose the oldest pushes
/// (``push(_:)``). The end is announced by ``finish()``: what is in the buffer can still be taken.
package final class BoundedBuffer<Element: Sendable>: Sendable {
    private struct State {
        var elements = FIFO<Element>()
        var reserved = 0
        var isFinished = false
        var taker: CheckedContinuation<Element?, Never>?
    }

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
        let taker = self.state.withLock { state -> CheckedContinuation<Element?, Never>? in
            state.reserved -= 1
            return Self.add(element, to: &state)
        }
        taker?.resume(returning: element)
    }

    /// Gives up a place taken before.
    package func release() { self.state.withLock { $0.reserved -= 1 } }

    /// Adds an element, at the cost of the oldest if there is no room; gives that one.
    package func push(_ element: Element) -> Element? {
        let (dropped, taker) = self.state.withLock { state -> (Element?, CheckedContinuation<Element?, Never>?) in
            let isFull = state.elements.count + state.reserved >= self.capacity
            let dropped = isFull && !state.isFinished ? state.elements.popFirst() : nil
            return (dropped, Self.add(element, to: &state))
        }
        taker?.resume(returning: element)
        return dropped
    }

    private static func add(_ element: Element, to state: inout State) -> CheckedContinuation<Element?, Never>? {
        if state.isFinished { return nil }
        if let taker = state.taker.take() { return taker }
        state.elements.append(element)
        return nil
    }

    // MARK: Taking

    /// The next element; nil after the end, or when the task is cancelled. One task at a time may take.
    package func next() async -> Element? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (element, isOver) = self.state.withLock { state -> (Element?, Bool) in
                    if let element = state.elements.popFirst() { return (element, false) }
                    if state.isFinished || Task.isCancelled { return (nil, true) }
                    precondition(state.taker == nil, "only one task at a time may take from a buffer")
                    state.taker = continuation
                    return (nil, false)
                }
                if element != nil || isOver {
                    continuation.resume(returning: element)
                } else if Task.isCancelled {
                    self.wakeTaker()
                }
            }
        } onCancel: {
            self.wakeTaker()
        }
    }

    private func wakeTaker() {
        let taker = self.state.withLock { $0.taker.take() }
        taker?.resume(returning: nil)
    }

    /// Announces the end: nothing is added any more.
    package func finish() {
        let taker = self.state.withLock { state in
            state.isFinished = true
            return state.taker.take()
        }
        taker?.resume(returning: nil)
    }

    /// Takes out everything at once.
    package func drain() -> [Element] { self.state.withLock { $0.elements.removeAll() } }
}
