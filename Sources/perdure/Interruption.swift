internal import Glibc

/// Waits for signals on a thread of its own: the first cancels the work, the second ends the process.
final class Interruption: Sendable {
    private let work: Task<Int32, Never>

    init(of work: Task<Int32, Never>) { self.work = work }

    func start(_ signals: sigset_t) {
        let context = Unmanaged.passRetained(Context(work: self.work, signals: signals))
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let context = Unmanaged<Context>.fromOpaque(argument).takeRetainedValue()
                var signals = context.signals
                var number: Int32 = 0
                sigwait(&signals, &number)
                context.work.cancel()
                sigwait(&signals, &number)
                exit(128 + number)
            }, context.toOpaque())
        pthread_detach(thread)
    }

    private final class Context: Sendable {
        let work: Task<Int32, Never>
        let signals: sigset_t

        init(work: Task<Int32, Never>, signals: sigset_t) {
            self.work = work
            self.signals = signals
        }
    }
}
