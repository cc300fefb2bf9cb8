/// A value that only its loop's thread may touch; anyone else is stopped.
///
/// `@unchecked Sendable`: every access checks that it happens on the loop's one thread.
package final class LoopBound<Value>: @unchecked Sendable {
    package let loop: EventLoop
    private var content: Value

    /// Puts a value that nobody else holds under the care of `loop`.
    package init(_ value: sending Value, on loop: EventLoop) {
        self.loop = loop
        self.content = value
    }

    /// Puts a value that lives on `loop` already under its care, to be handed to another thread and back unseen. Traps elsewhere.
    package init(livingOn loop: EventLoop, _ value: Value) {
        loop.checkIsolated()
        self.loop = loop
        self.content = value
    }

    /// The value. Traps on any other thread than the loop's: using it there is a mistake in this package.
    package var value: Value {
        get {
            self.loop.checkIsolated()
            return self.content
        }
        set {
            self.loop.checkIsolated()
            self.content = newValue
        }
    }
}
