internal import Glibc

/// A value and the lock that guards it.
///
/// The one place that chooses the lock: a pthread mutex rather than `Synchronization.Mutex`, because ThreadSanitizer
/// understands it, and because it does not convoy when more threads than cores contend (swiftlang/swift#88440).
///
/// `@unchecked Sendable`: the value is reachable only inside ``withLock(_:)``.
package final class LockedState<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    package init(_ value: sending Value) {
        self.value = value
        self.mutex = .allocate(capacity: 1)
        self.mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(self.mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(self.mutex)
        self.mutex.deallocate()
    }

    /// Runs `body` with the value while no other thread can.
    ///
    /// Not recursive; `body` must not block, call out to code it does not know, or resume anything that might run inline.
    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        return try body(&self.value)
    }
}
