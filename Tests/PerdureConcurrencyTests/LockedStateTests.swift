import PerdureConcurrency
import Testing

@Suite struct LockedStateTests {
    @Test func oneAtATime() async {
        let counter = LockedState(0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<2_000 { counter.withLock { $0 += 1 } } }
            }
        }
        #expect(counter.withLock { $0 } == 16_000)
    }

    @Test func isFreeAfterAnError() {
        struct Broken: Error {}
        let state = LockedState(1)
        #expect(throws: Broken.self) {
            try state.withLock { value throws(Broken) in
                value = 2
                throw Broken()
            }
        }
        #expect(state.withLock { $0 } == 2)
    }

    @Test func letsGoOfItsValue() {
        final class Thing: Sendable {}
        weak var thing: Thing?
        do {
            let state = LockedState(Thing())
            thing = state.withLock { $0 }
            #expect(thing != nil)
        }
        #expect(thing == nil)
    }
}
