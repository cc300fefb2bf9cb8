internal import Glibc

/// Lets a thread wait until a number of others have ended.
///
/// For threads only: waiting blocks.
///
/// `@unchecked Sendable`: the count is touched only while the mutex is held.
package final class Latch: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var count = 0

    package init() {
        self.mutex = .allocate(capacity: 1)
        self.mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(self.mutex, nil)
        self.changed = .allocate(capacity: 1)
        self.changed.initialize(to: pthread_cond_t())
        pthread_cond_init(self.changed, nil)
    }

    deinit {
        pthread_cond_destroy(self.changed)
        self.changed.deallocate()
        pthread_mutex_destroy(self.mutex)
        self.mutex.deallocate()
    }

    /// One more to wait for.
    package func enter() {
        pthread_mutex_lock(self.mutex)
        self.count += 1
        pthread_mutex_unlock(self.mutex)
    }

    /// One fewer.
    package func leave() {
        pthread_mutex_lock(self.mutex)
        self.count -= 1
        // Under the mutex: the one that waits may free the latch as soon as it gets it.
        pthread_cond_broadcast(self.changed)
        pthread_mutex_unlock(self.mutex)
    }

    /// Waits until all that entered have left.
    package func wait() {
        pthread_mutex_lock(self.mutex)
        while self.count > 0 { pthread_cond_wait(self.changed, self.mutex) }
        pthread_mutex_unlock(self.mutex)
    }
}
