public import Glibc

/// A value and the lock that guards it.
///
/// The one place that chooses the lock: a pthread mutex rather than `Synchronization.Mutex`, because ThreadSanitizer
/// understands it, and because it does not convoy when more threads than cores contend (swiftlang/swift#88440).
///
/// Public and inlinable, unlike its neighbours: `package` functions are not specialized in other modules by Swift 6.0, which
/// costs 40 ns at each use. The module is no product, so nobody else sees it.
///
/// `@unchecked Sendable`: the value is reachable only inside ``withLock(_:)``.
public final class LockedState<Value>: @unchecked Sendable {
    @usableFromInline
    struct Storage {
        @usableFromInline var mutex: pthread_mutex_t
        @usableFromInline var value: Value
    }

    // Lock and value in one piece of memory: one allocation, and no check for overlapping access that the lock makes needless.
    @usableFromInline let storage: UnsafeMutablePointer<Storage>

    /// Guards `value`.
    public init(_ value: sending Value) {
        self.storage = .allocate(capacity: 1)
        self.storage.initialize(to: Storage(mutex: pthread_mutex_t(), value: value))
        pthread_mutex_init(&self.storage.pointee.mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(&self.storage.pointee.mutex)
        self.storage.deinitialize(count: 1)
        self.storage.deallocate()
    }

    /// Runs `body` with the value while no other thread can.
    ///
    /// Not recursive; `body` must not block, call out to code it does not know, or resume anything that might run inline.
    @inlinable
    public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(&self.storage.pointee.mutex)
        defer { pthread_mutex_unlock(&self.storage.pointee.mutex) }
        return try body(&self.storage.pointee.value)
    }

    /// Runs `body` with the value if no other thread is at it; nil, at once, if one is, the calling thread itself included.
    @inlinable
    public func withLockIfFree<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result? {
        guard pthread_mutex_trylock(&self.storage.pointee.mutex) == 0 else { return nil }
        defer { pthread_mutex_unlock(&self.storage.pointee.mutex) }
        return try body(&self.storage.pointee.value)
    }
}
