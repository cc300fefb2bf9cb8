internal import CLinux
internal import Glibc
internal import PerdureConcurrency
internal import Synchronization

/// One thread that waits on epoll, and the executor of every actor that owns a descriptor on it.
///
/// Readiness and timers are told synchronously on the thread; a task is resumed once per request, not once per read. The
/// thread ends after ``shutDown()``, when nothing is left to do.
package final class EventLoop: SerialExecutor, TaskThread, Sendable {
    /// What other threads leave for the loop.
    private struct Inbox {
        var jobs: [UnownedJob] = []
        var tasks: [(job: UnownedJob, executor: UnownedTaskExecutor)] = []
        var calls: [@Sendable () -> Void] = []
        /// Whether the thread will look into the inbox before it sleeps: then nobody has to wake it.
        var isAwake = true
        var phase = Phase.running
        var traffic = Traffic()

        var isEmpty: Bool { self.jobs.isEmpty && self.tasks.isEmpty && self.calls.isEmpty }
    }

    /// What has come to the loop from elsewhere since it was made: each is a crossing from one thread to another.
    package struct Traffic: Sendable, Hashable {
        /// Jobs of tasks and actors that run on the loop.
        package var jobs = 0
        /// Calls by ``EventLoop/perform(_:)``.
        package var calls = 0
        /// How often the sleeping thread had to be woken for them.
        package var wakes = 0
    }

    private enum Phase {
        case running
        /// Told to end as soon as nothing is registered and nothing waits.
        case stopping
        /// The thread has ended; whatever still comes starts one for as long as it takes.
        case ended
    }

    /// What only the loop's thread touches, or who stands in for it.
    ///
    /// `@unchecked Sendable`: every method of the loop that gets here has checked that it runs on the thread, which holds the turn.
    private final class Confined: @unchecked Sendable {
        var handlers: [UInt64: any DescriptorHandler] = [:]
        var timers = TimerHeap<() -> Void>()
        var lastToken: UInt64 = 0
        /// When the thread wakes by itself from the sleep that it is in; nil for never.
        var sleepsUntil: Duration?
        /// Until when the thread goes on looking for what comes instead of sleeping.
        var looksUntil = Duration.zero
    }

    private let name: String
    private let busyPolling: Duration
    private let poller: CInt
    private let wakeUp: CInt
    private let inbox = LockedState(Inbox())
    private let confined = Confined()
    /// Held by the thread whenever it does not wait on epoll, and by a caller that stands in for it meanwhile.
    private let turn = LockedState(())
    private let threadID = Atomic<UInt>(0)

    /// Starts a loop and its thread. `name` shows in debuggers and in `top`.
    ///
    /// For `busyPolling` after the last thing that came the thread goes on looking for more before it sleeps, which takes a core.
    /// Nobody has to wake it meanwhile, and what it needs stays in its caches.
    ///
    /// - Throws: ``LoopFailure`` when the system has no descriptors or threads left.
    package static func start(
        named name: String, busyPolling: Duration = .zero
    ) throws(LoopFailure) -> EventLoop {
        let loop = try EventLoop(name: name, busyPolling: busyPolling)
        try loop.startThread()
        return loop
    }

    /// What is wrong with a setting for busy polling, in words, or nil.
    package static func violation(ofBusyPolling time: Duration) -> String? {
        (.zero ... .seconds(1)).contains(time) ? nil : "busyPolling must be 0 to 1 second; it is \(time)"
    }

    private init(name: String, busyPolling: Duration) throws(LoopFailure) {
        self.name = name
        self.busyPolling = busyPolling
        let poller = clinux_epoll_create()
        guard poller >= 0 else { throw LoopFailure(action: "make an epoll descriptor", errorNumber: -poller) }
        let wakeUp = clinux_eventfd()
        guard wakeUp >= 0 else {
            close(poller)
            throw LoopFailure(action: "make an event descriptor", errorNumber: -wakeUp)
        }
        let status = clinux_epoll_add(poller, wakeUp, clinux_epollin(), 0)
        guard status == 0 else {
            close(poller)
            close(wakeUp)
            throw LoopFailure(action: "watch an event descriptor", errorNumber: -status)
        }
        self.poller = poller
        self.wakeUp = wakeUp
    }

    deinit {
        close(self.poller)
        close(self.wakeUp)
    }

    private func startThread() throws(LoopFailure) {
        do throws(BlockingThread.StartFailure) {
            try BlockingThread.start(named: self.name) { self.run() }
        } catch {
            throw LoopFailure(action: "start an event loop's thread", errorNumber: error.errorNumber)
        }
    }

    // MARK: Executor

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.deliver { inbox in
            inbox.jobs.append(job)
            inbox.traffic.jobs += 1
        }
    }

    package func run(_ job: UnownedJob, for executor: UnownedTaskExecutor) -> Bool {
        self.deliver { inbox in
            inbox.tasks.append((job, executor))
            inbox.traffic.jobs += 1
        }
        return true
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    package func checkIsolated() {
        precondition(self.isCurrent, "something that belongs to the event loop \(self.name) was used on another thread")
    }

    /// Whether the caller runs on the loop's thread, or stands in for it.
    package var isCurrent: Bool { self.threadID.load(ordering: .relaxed) == UInt(pthread_self()) }

    // MARK: Calls from anywhere

    /// Runs `call` on the loop's thread, after what was given to it before. Never runs it inline.
    package func perform(_ call: @escaping @Sendable () -> Void) {
        self.deliver { inbox in
            inbox.calls.append(call)
            inbox.traffic.calls += 1
        }
    }

    /// What has come to the loop so far.
    package var traffic: Traffic { self.inbox.withLock { $0.traffic } }

    /// Whether the thread waits for something to come.
    package var isAsleep: Bool {
        self.inbox.withLock { inbox in
            if case .running = inbox.phase { !inbox.isAwake } else { false }
        }
    }

    /// Whether the thread has ended.
    package var hasEnded: Bool {
        self.inbox.withLock { inbox in
            if case .ended = inbox.phase { true } else { false }
        }
    }

    /// Runs `call` at once on the calling thread, in the place of the loop's thread, if that sleeps; otherwise does as ``perform(_:)``.
    ///
    /// Spares waking a thread, which takes longer than most calls do. For calls that are short and never block, of whom no crowd is
    /// expected: what comes from others meanwhile waits.
    package func performAtOnce(_ call: @escaping @Sendable () -> Void) {
        let isDone = self.turn.withLockIfFree { _ in
            // While it sleeps, nothing waits in the inbox that should be done before.
            guard self.isAsleep else { return false }
            let thread = self.threadID.exchange(UInt(pthread_self()), ordering: .relaxed)
            call()
            // A timer that the thread knows nothing of.
            let confined = self.confined
            if let deadline = confined.timers.nextDeadline, confined.sleepsUntil.map({ deadline < $0 }) ?? true {
                confined.sleepsUntil = deadline
                clinux_eventfd_signal(self.wakeUp)
            }
            self.threadID.store(thread, ordering: .relaxed)
            return true
        }
        if isDone != true { self.perform(call) }
    }

    /// Tells the thread to end once nothing is registered with the loop and nothing waits for it. Idempotent.
    ///
    /// Timers do not keep it. What is given to the loop afterwards is still done.
    package func shutDown() {
        self.deliver { inbox in
            if case .running = inbox.phase { inbox.phase = .stopping }
        }
    }

    private func deliver(_ change: (inout Inbox) -> Void) {
        enum Next { case nothing, wake, start }
        let next: Next = self.inbox.withLock { inbox in
            change(&inbox)
            if case .ended = inbox.phase {
                guard !inbox.isEmpty else { return .nothing }
                inbox.phase = .stopping
                inbox.isAwake = true
                return .start
            }
            if inbox.isAwake { return .nothing }
            inbox.isAwake = true
            inbox.traffic.wakes += 1
            return .wake
        }
        switch next {
        case .nothing: break
        case .wake: clinux_eventfd_signal(self.wakeUp)
        case .start:
            // Without a thread nobody could ever run what was given: there is nothing to fall back on.
            do { try self.startThread() } catch { preconditionFailure("\(error)") }
        }
    }

    // MARK: Time

    /// Monotonic time (`CLOCK_MONOTONIC`), the same as that of the model's system clock.
    package var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Duration(
            secondsComponent: Int64(time.tv_sec), attosecondsComponent: Int64(time.tv_nsec) * 1_000_000_000)
    }

    package typealias TimerID = TimerHeap<() -> Void>.ID

    /// Runs `action` once ``now`` has reached `deadline`. Only on the loop's thread.
    package func schedule(at deadline: Duration, _ action: @escaping () -> Void) -> TimerID {
        self.checkIsolated()
        return self.confined.timers.add(action, at: deadline)
    }

    /// Calls a timer off. Only on the loop's thread.
    package func cancel(_ timer: TimerID) {
        self.checkIsolated()
        self.confined.timers.cancel(timer)
    }

    // MARK: Descriptors

    /// A descriptor's place on a loop. It does not own the descriptor; deregister before closing it.
    package struct Registration: Sendable {
        package let descriptor: CInt
        fileprivate let token: UInt64
    }

    /// Tells `handler` when `descriptor` is ready for what `interest` names. Only on the loop's thread.
    ///
    /// The loop keeps the handler until ``deregister(_:)``. A handler is never told of an earlier owner of the same number:
    /// each registration has a token of its own.
    package func register(
        _ descriptor: CInt, for interest: Readiness, _ handler: any DescriptorHandler
    ) throws(LoopFailure) -> Registration {
        self.checkIsolated()
        self.confined.lastToken += 1
        let token = self.confined.lastToken
        let status = clinux_epoll_add(self.poller, descriptor, Self.events(interest), token)
        guard status == 0 else { throw LoopFailure(action: "watch a descriptor", errorNumber: -status) }
        self.confined.handlers[token] = handler
        return Registration(descriptor: descriptor, token: token)
    }

    /// Changes what the handler is told about. Only on the loop's thread.
    package func update(_ registration: Registration, to interest: Readiness) throws(LoopFailure) {
        self.checkIsolated()
        let status = clinux_epoll_modify(
            self.poller, registration.descriptor, Self.events(interest), registration.token)
        guard status == 0 else { throw LoopFailure(action: "watch a descriptor", errorNumber: -status) }
    }

    /// Lets go of a descriptor and its handler; nothing is told afterwards. Only on the loop's thread.
    package func deregister(_ registration: Registration) {
        self.checkIsolated()
        guard self.confined.handlers.removeValue(forKey: registration.token) != nil else { return }
        _ = clinux_epoll_remove(self.poller, registration.descriptor)
    }

    private static func events(_ interest: Readiness) -> UInt32 {
        var events = clinux_epollrdhup()
        if interest.contains(.readable) { events |= clinux_epollin() }
        if interest.contains(.writable) { events |= clinux_epollout() }
        return events
    }

    // MARK: The thread

    private func run() {
        // One argument, not two: the other form would enqueue a plain task anew at each call between actors of the loop.
        let executor = self.asUnownedSerialExecutor()
        var jobs: [UnownedJob] = []
        var tasks: [(job: UnownedJob, executor: UnownedTaskExecutor)] = []
        var calls: [@Sendable () -> Void] = []
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 128) { events in
            var count = 0
            while true {
                let timeout: CInt? = self.turn.withLock { _ in
                    self.threadID.store(UInt(pthread_self()), ordering: .relaxed)
                    self.inbox.withLock { inbox in
                        // From here on the inbox is looked into before the next sleep.
                        inbox.isAwake = true
                        swap(&inbox.jobs, &jobs)
                        swap(&inbox.tasks, &tasks)
                        swap(&inbox.calls, &calls)
                    }
                    let isBusy = count > 0 || !jobs.isEmpty || !tasks.isEmpty || !calls.isEmpty
                    self.tell(events.prefix(count))
                    self.runTimers()
                    for call in calls { call() }
                    for job in jobs { job.runSynchronously(on: executor) }
                    for task in tasks { task.job.runSynchronously(on: task.executor) }
                    calls.removeAll(keepingCapacity: true)
                    jobs.removeAll(keepingCapacity: true)
                    tasks.removeAll(keepingCapacity: true)
                    if isBusy, self.busyPolling > .zero { self.confined.looksUntil = self.now + self.busyPolling }
                    return self.nextTimeout()
                }
                guard let timeout, let buffer = events.baseAddress else { return }
                count = max(0, Int(epoll_wait(self.poller, buffer, CInt(events.count), timeout)))
            }
        }
    }

    /// How long to wait for what is ready, in milliseconds, -1 for ever; nil when the thread has nothing left to do and ends.
    private func nextTimeout() -> CInt? {
        enum Next { case look, sleep, end }
        let goesOnLooking = self.busyPolling > .zero && self.confined.looksUntil > self.now
        let next: Next = self.inbox.withLock { inbox in
            guard inbox.isEmpty else { return .look }
            if case .stopping = inbox.phase, self.confined.handlers.isEmpty {
                inbox.phase = .ended
                self.threadID.store(0, ordering: .relaxed)
                return .end
            }
            if goesOnLooking { return .look }
            inbox.isAwake = false
            return .sleep
        }
        switch next {
        case .end: return nil
        case .look: return 0
        case .sleep:
            self.confined.sleepsUntil = self.confined.timers.nextDeadline
            return self.confined.sleepsUntil.map { Self.milliseconds(until: $0, from: self.now) } ?? -1
        }
    }

    /// Tells the handlers what is ready.
    private func tell(_ events: Slice<UnsafeMutableBufferPointer<epoll_event>>) {
        for event in events {
            let token = event.data.u64
            if token == 0 {
                clinux_eventfd_clear(self.wakeUp)
                continue
            }
            // Gone when a handler called before it in this round let go of it.
            guard let handler = self.confined.handlers[token] else { continue }
            var readiness: Readiness = []
            if event.events & clinux_epollin() != 0 { readiness.insert(.readable) }
            if event.events & clinux_epollout() != 0 { readiness.insert(.writable) }
            if event.events & (clinux_epollhup() | clinux_epollerr() | clinux_epollrdhup()) != 0 {
                readiness.insert(.closed)
            }
            handler.ready(readiness)
        }
    }

    private func runTimers() {
        guard let first = self.confined.timers.nextDeadline else { return }
        let now = self.now
        guard first <= now else { return }
        while let action = self.confined.timers.popDue(at: now) { action() }
    }

    /// Rounded up, so that a timer is due when the wait ends.
    private static func milliseconds(until deadline: Duration, from now: Duration) -> CInt {
        let wait = deadline - now
        guard wait > .zero else { return 0 }
        let (seconds, attoseconds) = wait.components
        guard seconds < 3_600 else { return 3_600_000 }
        return CInt(seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
