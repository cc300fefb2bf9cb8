/// Waits until something holds, for as long as a test may take at most.
///
/// For what happens in real time; where a test moves the clock, it waits for the clock's sleepers instead.
package func eventually(_ what: String, _ holds: () async throws -> Bool) async throws {
    if try await !poll(while: patience(), holds) { throw NeverHeld(what: what) }
}

/// Whether something comes to hold that others of this process bring about: they are let run, for as long as a test may take at most.
///
/// No time passes by waiting: for tests that move the clock themselves, or wait for other threads.
package func eventually(_ holds: () async -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(60)
    repeat {
        if await holds() { return true }
        await Task.yield()
    } while ContinuousClock.now < end
    return await holds()
}

/// Looks again and again until something holds, as long as `mayGoOn`; returns whether it does.
///
/// Ends with an error when it is cancelled. The one place where tests in real time let time pass: between two looks, so that those
/// they wait for get the processor.
package func poll(while mayGoOn: () -> Bool, _ holds: () async throws -> Bool) async throws -> Bool {
    while mayGoOn() {
        if try await holds() { return true }
        // No mere yield: what a look sets going (a test may move its clock with each) is to be done before the next.
        try await Task.sleep(for: .milliseconds(1))
    }
    return false
}

/// A minute and more: far longer than anything takes that a test waits for.
private func patience() -> () -> Bool {
    var looks = 0
    return {
        looks += 1
        return looks <= 60_000
    }
}

/// Something that should have come to hold did not.
package struct NeverHeld: Error, CustomStringConvertible {
    let what: String

    package var description: String { "never: \(self.what)" }
}
