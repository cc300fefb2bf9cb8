internal import CLibPQ
internal import PerdureIO

/// A request to the server, on a connection of its own, to stop what another connection does.
///
/// Best effort; never blocks.
final class ServerCancellation: DescriptorHandler {
    private let loop: EventLoop
    private var handle: UnsafeMutableRawPointer?
    private var registration: EventLoop.Registration?

    /// Begins; nil where this libpq can only cancel by blocking.
    init?(of connection: OpaquePointer, on loop: EventLoop) {
        self.loop = loop
        guard cpq_can_cancel() == 1, let handle = cpq_cancel_start(connection) else { return nil }
        self.handle = handle
        self.watch(.writable)
    }

    func ready(_ readiness: Readiness) {
        guard let handle = self.handle else { return }
        self.unwatch()
        switch cpq_cancel_poll(handle) {
        case PGRES_POLLING_READING: self.watch(.readable)
        case PGRES_POLLING_WRITING: self.watch(.writable)
        default: self.close()
        }
    }

    func close() {
        self.unwatch()
        if let handle = self.handle { cpq_cancel_finish(handle) }
        self.handle = nil
    }

    private func watch(_ interest: Readiness) {
        guard let handle = self.handle else { return }
        do {
            self.registration = try self.loop.register(cpq_cancel_socket(handle), for: interest, self)
        } catch { self.close() }
    }

    private func unwatch() {
        if let registration = self.registration { self.loop.deregister(registration) }
        self.registration = nil
    }
}
