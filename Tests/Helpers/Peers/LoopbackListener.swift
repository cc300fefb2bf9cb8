internal import Glibc
internal import PerdureConcurrency

/// Takes connections on a port of loopback until it is stopped.
///
/// Its descriptor is closed when nobody holds it any more, not before: the number may belong to somebody else right afterwards, whom a
/// second ``stop()`` must not hit.
package final class LoopbackListener: Sendable {
    /// Where clients find it.
    package let port: Int
    private let descriptor: CInt
    private let isStopped = LockedState(false)

    /// Listens on `port`, or on a free one.
    package init(on port: Int = 0) throws {
        (self.descriptor, self.port) = try Sockets.listen(on: port)
    }

    deinit { close(self.descriptor) }

    /// Begins to hand connections to `take`, which owns them from then on, on a thread of their own.
    package func start(_ take: @escaping @Sendable (_ connection: CInt) -> Void) throws {
        try BlockingThread.start(named: "listener") { [self] in
            while true {
                let connection = accept(self.descriptor, nil, nil)
                let isStopped = self.isStopped.withLock { $0 }
                if connection >= 0 {
                    if isStopped { close(connection) } else { take(connection) }
                }
                if isStopped { return }
                // What came to nothing by itself, or for want of descriptors, says nothing of the next one.
                if connection < 0 { sched_yield() }
            }
        }
    }

    /// Takes no connection any more; those that were taken are not its own.
    package func stop() {
        self.isStopped.withLock { $0 = true }
        Sockets.end(self.descriptor)
    }
}
