import Glibc
import PerdureConcurrency
import PerdureIO
import Testing
import Waiting

/// An actor that lives on a loop.
private actor Counter {
    private let loop: EventLoop
    nonisolated let unownedExecutor: UnownedSerialExecutor
    private var value = 0
    private(set) var strays = 0

    init(on loop: EventLoop) {
        self.loop = loop
        self.unownedExecutor = loop.asUnownedSerialExecutor()
    }

    func increment() -> Int {
        if !self.loop.isCurrent { self.strays += 1 }
        self.value += 1
        return self.value
    }

    func increment(with other: Counter, times: Int) async {
        for _ in 0..<times { _ = await other.increment() }
    }
}

@Suite struct EventLoopTests {
    @Test func runsActorsOnItsThread() async throws {
        let loop = try EventLoop.start(named: "test")
        defer { loop.shutDown() }
        let counter = Counter(on: loop)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<1_000 { _ = await counter.increment() } } }
        }
        #expect(await counter.increment() == 8_001)
        #expect(await counter.strays == 0)
        #expect(!loop.isCurrent)
    }

    @Test func actorsOfOneLoopCallEachOther() async throws {
        let loop = try EventLoop.start(named: "test")
        defer { loop.shutDown() }
        let (one, other) = (Counter(on: loop), Counter(on: loop))
        await one.increment(with: other, times: 1_000)
        #expect(await other.increment() == 1_001)
    }

    /// A wake that gets lost leaves a call undone, and this test without an end.
    @Test(.timeLimit(.minutes(2))) func losesNoWake() async throws {
        let loop = try EventLoop.start(named: "test")
        defer { loop.shutDown() }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<5_000 {
                        await withCheckedContinuation { continuation in loop.perform { continuation.resume() } }
                    }
                }
            }
        }
    }

    /// As long as it looks by itself nobody wakes it; everything is done, and it ends when it is told to.
    @Test(.timeLimit(.minutes(2))) func goesOnLookingForWhatComes() async throws {
        let loop = try EventLoop.start(named: "test", busyPolling: .seconds(1_000))
        let counter = Counter(on: loop)
        for number in 1...200 {
            #expect(await counter.increment() == number)
            await withCheckedContinuation { continuation in loop.perform { continuation.resume() } }
        }
        await withCheckedContinuation { continuation in
            loop.perform { _ = loop.schedule(at: loop.now + .milliseconds(1)) { continuation.resume() } }
        }
        // The first may have come before the thread did.
        #expect(loop.traffic.wakes <= 1)
        loop.shutDown()
        #expect(await eventually { loop.hasEnded })
        // Whoever comes afterwards is served all the same.
        #expect(await counter.increment() == 201)
    }

    @Test(.timeLimit(.minutes(2))) func sleepsWhenNothingHasComeForSoLong() async throws {
        let loop = try EventLoop.start(named: "test", busyPolling: .microseconds(50))
        defer { loop.shutDown() }
        #expect(await eventually { loop.isAsleep })
        let wakes = loop.traffic.wakes
        await withCheckedContinuation { continuation in loop.perform { continuation.resume() } }
        #expect(loop.traffic.wakes == wakes + 1)
        #expect(await eventually { loop.isAsleep })
    }

    @Test func refusesToLookForTooLong() {
        #expect(EventLoop.violation(ofBusyPolling: .zero) == nil)
        #expect(EventLoop.violation(ofBusyPolling: .seconds(1)) == nil)
        #expect(
            EventLoop.violation(ofBusyPolling: .seconds(2)) == "busyPolling must be 0 to 1 second; it is 2.0 seconds")
        #expect(EventLoop.violation(ofBusyPolling: .milliseconds(-1)) != nil)
    }

    @Test func performsInOrder() async throws {
        let loop = try EventLoop.start(named: "test")
        defer { loop.shutDown() }
        let seen = LockedState<[Int]>([])
        for number in 0..<100 { loop.perform { seen.withLock { $0.append(number) } } }
        await withCheckedContinuation { continuation in loop.perform { continuation.resume() } }
        #expect(seen.withLock { $0 } == Array(0..<100))
    }

    @Test func runsTimersInOrderAndNotTheCancelledOnes() async throws {
        let loop = try EventLoop.start(named: "test")
        defer { loop.shutDown() }
        let seen = LockedState<[Int]>([])
        await withCheckedContinuation { continuation in
            loop.perform {
                let now = loop.now
                _ = loop.schedule(at: now + .milliseconds(20)) {
                    seen.withLock { $0.append(3) }
                    continuation.resume()
                }
                let cancelled = loop.schedule(at: now + .milliseconds(10)) { seen.withLock { $0.append(2) } }
                _ = loop.schedule(at: now + .milliseconds(5)) { seen.withLock { $0.append(1) } }
                loop.cancel(cancelled)
            }
        }
        #expect(seen.withLock { $0 } == [1, 3])
    }

    /// Gives the loop a call again and again until it is run by this thread; false when that never happens.
    private static func standIn(for loop: EventLoop, _ call: @escaping @Sendable () -> Void) -> Bool {
        let thread = pthread_self()
        for _ in 0..<1_000_000 {
            let isHere = LockedState(false)
            loop.performAtOnce {
                guard pthread_self() == thread else { return }
                isHere.withLock { $0 = true }
                call()
            }
            if isHere.withLock({ $0 }) { return true }
            sched_yield()
        }
        return false
    }

    @Test func isStoodInForWhileItSleeps() async throws {
        let loop = try EventLoop.start(named: "test")
        defer { loop.shutDown() }
        let strays = LockedState(0)
        #expect(Self.standIn(for: loop) { if !loop.isCurrent { strays.withLock { $0 += 1 } } })
        #expect(strays.withLock { $0 } == 0 && !loop.isCurrent)
        // Its own thread goes on as before.
        let counter = Counter(on: loop)
        #expect(await counter.increment() == 1)
        #expect(await counter.strays == 0)
    }

    /// What belongs to the loop is never touched by two at once: callers that stand in, the thread, and its actors.
    @Test(.timeLimit(.minutes(2))) func isStoodInForByOneAtATime() async throws {
        let loop = try EventLoop.start(named: "test")
        defer { loop.shutDown() }
        let (count, counter) = (LoopBound(0, on: loop), Counter(on: loop))
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<6 {
                group.addTask {
                    for round in 0..<3_000 {
                        if task == 0 { _ = await counter.increment() }
                        if (task + round) % 3 == 0 {
                            loop.perform { count.value += 1 }
                        } else {
                            await withCheckedContinuation { continuation in
                                loop.performAtOnce {
                                    count.value += 1
                                    continuation.resume()
                                }
                            }
                        }
                    }
                }
            }
        }
        let total = await withCheckedContinuation { continuation in
            loop.perform { continuation.resume(returning: count.value) }
        }
        #expect(total == 18_000)
        #expect(await counter.increment() == 3_001)
    }

    /// The thread sleeps until a timer that it knows; one that a caller sets in its place must wake it.
    @Test(.timeLimit(.minutes(1))) func mindsATimerThatWasSetInItsPlace() async throws {
        let loop = try EventLoop.start(named: "test")
        defer { loop.shutDown() }
        await withCheckedContinuation { continuation in
            let isSet = Self.standIn(for: loop) {
                _ = loop.schedule(at: loop.now + .milliseconds(5)) { continuation.resume() }
            }
            #expect(isSet)
        }
    }

    @Test func whatComesAfterShutDownIsStillDone() async throws {
        let loop = try EventLoop.start(named: "test")
        loop.shutDown()
        for _ in 0..<100 {
            await withCheckedContinuation { continuation in loop.perform { continuation.resume() } }
        }
        // Nobody stands in for a thread that has ended.
        await withCheckedContinuation { continuation in loop.performAtOnce { continuation.resume() } }
        let counter = Counter(on: loop)
        #expect(await counter.increment() == 1)
        #expect(await counter.strays == 0)
    }

    /// Echoes until the other side closes; counts on a level-triggered loop by reading one byte at a time.
    private final class Echo: DescriptorHandler {
        let loop: EventLoop
        let descriptor: CInt
        var registration: EventLoop.Registration?
        let ended: () -> Void

        init(_ descriptor: CInt, on loop: EventLoop, ended: @escaping () -> Void) {
            self.loop = loop
            self.descriptor = descriptor
            self.ended = ended
        }

        func ready(_ readiness: Readiness) {
            var byte: UInt8 = 0
            if read(self.descriptor, &byte, 1) == 1 {
                _ = write(self.descriptor, &byte, 1)
                return
            }
            if let registration = self.registration { self.loop.deregister(registration) }
            close(self.descriptor)
            self.ended()
        }
    }

    @Test func tellsReadinessUntilAllIsRead() async throws {
        let loop = try EventLoop.start(named: "test")
        defer { loop.shutDown() }
        var pair: [CInt] = [0, 0]
        #expect(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair) == 0)
        let (ours, theirs) = (pair[0], pair[1])
        let ended = LockedState(false)
        await withCheckedContinuation { continuation in
            loop.perform {
                let echo = Echo(theirs, on: loop) { ended.withLock { $0 = true } }
                echo.registration = try? loop.register(theirs, for: .readable, echo)
                continuation.resume()
            }
        }
        let sent = [UInt8]((0..<200).map { UInt8($0) })
        #expect(write(ours, sent, sent.count) == sent.count)
        var received: [UInt8] = []
        while received.count < sent.count {
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = read(ours, &buffer, buffer.count)
            try #require(count > 0)
            received += buffer.prefix(count)
        }
        #expect(received == sent)
        // The end of the stream reaches the handler, which closes its side: reading sees the end too.
        shutdown(ours, CInt(SHUT_WR))
        var byte: UInt8 = 0
        #expect(read(ours, &byte, 1) == 0)
        close(ours)
        await withCheckedContinuation { continuation in loop.perform { continuation.resume() } }
        #expect(ended.withLock { $0 })
    }
}
