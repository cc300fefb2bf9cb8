internal import Glibc

/// A ``Batcher`` between tasks that ask and threads that work.
///
/// Tasks never block on it; threads sleep in ``nextBatch(into:maximumCount:maximumWeight:weight:)`` while nothing waits. There they
/// also run the jobs of tasks that prefer them.
///
/// `@unchecked Sendable`: everything mutable is touched only while the mutex is held.
package final class BatchQueue<Element: Sendable>: TaskThread, @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let wakeUp: UnsafeMutablePointer<pthread_cond_t>
    private let closing: UnsafeMutablePointer<pthread_cond_t>
    private var batcher = Batcher<Element>()
    private var tasks: [(job: UnownedJob, executor: UnownedTaskExecutor)] = []
    private var isOpen = false
    /// Threads that sleep and have not been signalled. May be too high after a spurious wake-up, never too low.
    private var sleepers = 0

    package init() {
        self.mutex = .allocate(capacity: 1)
        self.mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(self.mutex, nil)
        self.wakeUp = .allocate(capacity: 1)
        self.wakeUp.initialize(to: pthread_cond_t())
        pthread_cond_init(self.wakeUp, nil)
        self.closing = .allocate(capacity: 1)
        self.closing.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(self.closing, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(self.closing)
        self.closing.deallocate()
        pthread_cond_destroy(self.wakeUp)
        self.wakeUp.deallocate()
        pthread_mutex_destroy(self.mutex)
        self.mutex.deallocate()
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        return body()
    }

    /// Lets elements in. A queue begins closed.
    package func open() { self.locked { self.isOpen = true } }

    /// Lets no more elements in. What waits is still handed out; then the threads are told to end.
    package func close() {
        self.locked {
            self.isOpen = false
            self.sleepers = 0
            pthread_cond_broadcast(self.wakeUp)
            pthread_cond_broadcast(self.closing)
        }
    }

    /// Puts an element at the end of the line and wakes a thread if one sleeps; false when the queue is closed.
    package func submit(_ element: Element, weight: Int = 0) -> Bool {
        self.deliver { self.batcher.append(element, weight: weight) }
    }

    package func run(_ job: UnownedJob, for executor: UnownedTaskExecutor) -> Bool {
        self.deliver { self.tasks.append((job, executor)) }
    }

    private func deliver(_ change: () -> Void) -> Bool {
        pthread_mutex_lock(self.mutex)
        guard self.isOpen else {
            pthread_mutex_unlock(self.mutex)
            return false
        }
        change()
        let mustWake = self.sleepers > 0
        if mustWake { self.sleepers -= 1 }
        pthread_mutex_unlock(self.mutex)
        // After unlocking, so that the thread does not wake only to wait for the mutex.
        if mustWake { pthread_cond_signal(self.wakeUp) }
        return true
    }

    /// Puts all `elements` at the end of the line, side by side; false, and none of them, when the queue is closed.
    package func submit(contentsOf elements: [Element], weight: (Element) -> Int = { _ in 0 }) -> Bool {
        self.locked {
            guard self.isOpen else { return false }
            for element in elements { self.batcher.append(element, weight: weight(element)) }
            self.sleepers = 0
            pthread_cond_broadcast(self.wakeUp)
            return true
        }
    }

    /// Waits until something is there and moves it into `batch`, which must be empty; see ``Batcher``.
    ///
    /// Returns false, and nothing, once the queue is closed and empty: the thread should end.
    package func nextBatch(
        into batch: inout [Element], maximumCount: Int, maximumWeight: Int = .max, weight: (Element) -> Int = { _ in 0 }
    ) -> Bool {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        while true {
            self.runTasks()
            if !self.batcher.isEmpty { break }
            if !self.tasks.isEmpty { continue }
            guard self.isOpen else { return false }
            self.sleepers += 1
            pthread_cond_wait(self.wakeUp, self.mutex)
        }
        self.batcher.take(
            into: &batch, maximumCount: maximumCount, maximumWeight: maximumWeight, weight: weight)
        return true
    }

    /// Runs the jobs that are there, with the mutex open meanwhile. What they submit can still join the next batch.
    private func runTasks() {
        guard !self.tasks.isEmpty else { return }
        var tasks: [(job: UnownedJob, executor: UnownedTaskExecutor)] = []
        swap(&tasks, &self.tasks)
        pthread_mutex_unlock(self.mutex)
        for task in tasks { task.job.runSynchronously(on: task.executor) }
        pthread_mutex_lock(self.mutex)
    }

    /// Takes out of the line the elements that `isWanted` picks; see ``Batcher/withdraw(weight:where:)``.
    package func withdraw(weight: (Element) -> Int = { _ in 0 }, where isWanted: (Element) -> Bool) -> [Element] {
        self.locked { self.batcher.withdraw(weight: weight, where: isWanted) }
    }

    /// Sleeps for `nanoseconds`, or until the queue is closed; says whether it is still open.
    package func sleepWhileOpen(nanoseconds: Int64) -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let end = Int64(deadline.tv_nsec) + nanoseconds
        deadline.tv_sec += Int(end / 1_000_000_000)
        deadline.tv_nsec = Int(end % 1_000_000_000)
        return self.locked {
            while self.isOpen {
                if pthread_cond_timedwait(self.closing, self.mutex, &deadline) == ETIMEDOUT { break }
            }
            return self.isOpen
        }
    }
}
