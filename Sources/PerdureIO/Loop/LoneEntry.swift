internal import Synchronization

/// The way from callers to a loop, that lets one who comes alone do its errand itself.
///
/// A thread that sleeps takes longer to wake than most requests take to be sent. So, while nothing is under way, the next caller
/// acts in the sleeping thread's place (``EventLoop/performAtOnce(_:)``); when it has company, the loop's thread takes what all of them
/// left in one go.
package final class LoneEntry: Sendable {
    private let loop: EventLoop
    /// A hint: whoever comes too late to it loses no more than time.
    private let expectsOne = Atomic<Bool>(false)

    package init(to loop: EventLoop) { self.loop = loop }

    /// Says that nothing is under way, so that whoever comes next comes alone.
    package func expectLoneCaller() { self.expectsOne.store(true, ordering: .relaxed) }

    /// Runs `call` as the loop's, here or on its thread.
    package func enter(_ call: @escaping @Sendable () -> Void) {
        if self.expectsOne.exchange(false, ordering: .relaxed) {
            self.loop.performAtOnce(call)
        } else {
            self.loop.perform(call)
        }
    }
}
