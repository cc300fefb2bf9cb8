import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import Testing

@testable import PerdureWorkflow

/// What waits for its time in an engine.
@Suite(.timeLimit(.minutes(5))) struct TimerTests {
    /// Tells when its time has come.
    private final class Flag: Alarmed {
        let isUp = LockedState(false)
        func alarm() { self.isUp.withLock { $0 = true } }
    }

    @Test("the alarm of a wait that is over rings for nobody") func staleAlarm() async throws {
        let clock = ManualClock()
        var configuration = WorkflowEngine.Configuration()
        configuration.clock = clock
        let core = EngineCore(InMemoryRunStore(), configuration, [])
        let (waited, late, last) = (Bell(), Bell(), Flag())
        waited.ring()
        await core.wait(for: waited, upTo: .seconds(1))
        // One that is still waited for, to see that alarms ring at all.
        let waiting = Task { await core.wait(for: late, upTo: .seconds(2)) }
        let timers = Task { await core.timers.run() }
        core.timers.schedule(last, at: clock.now + .seconds(3))
        while !last.isUp.withLock({ $0 }) {
            clock.advance(by: .milliseconds(500))
            await Task.yield()
        }
        #expect(!waited.isRung)
        await waiting.value
        timers.cancel()
        await timers.value
    }
}
