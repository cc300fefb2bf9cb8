internal import CCurl
internal import PerdureIO

/// The sockets that libcurl has, and what it wants to be told about each.
///
/// Belongs to one loop.
///
/// libcurl lets go of a socket at the end of each request and takes it up again at the beginning of the next. That would be two
/// calls of the kernel for nothing, so a socket stays registered until it is closed, or until it wakes us while nobody wants it.
final class SocketTable {
    private final class Watch: DescriptorHandler {
        let socket: CInt
        unowned let table: SocketTable
        var registration: EventLoop.Registration?
        /// What the loop tells.
        var registered: Readiness = []
        /// What libcurl wants to know; nothing while the connection is kept for later.
        var wanted: Readiness = []
        /// Whether it woke us once already while nothing was wanted.
        var wokeInVain = false

        init(_ socket: CInt, _ table: SocketTable) {
            self.socket = socket
            self.table = table
        }

        func ready(_ readiness: Readiness) { self.table.ready(self, readiness) }
    }

    private let loop: EventLoop
    private var watches: [CInt: Watch] = [:]
    /// Told when libcurl should look at a socket.
    var act: (_ socket: CInt, _ events: CInt) -> Void = { _, _ in }

    init(on loop: EventLoop) { self.loop = loop }

    /// libcurl says what it wants to be told about.
    func update(_ socket: CInt, _ interest: CInt) {
        let wanted: Readiness =
            switch interest {
            case CURL_POLL_IN: [.readable]
            case CURL_POLL_OUT: [.writable]
            case CURL_POLL_INOUT: [.readable, .writable]
            default: []
            }
        guard let watch = self.watches[socket] else {
            guard !wanted.isEmpty else { return }
            let watch = Watch(socket, self)
            self.watches[socket] = watch
            self.set(watch, wanted)
            return
        }
        self.set(watch, wanted)
    }

    private func set(_ watch: Watch, _ wanted: Readiness) {
        watch.wanted = wanted
        if !wanted.isEmpty { watch.wokeInVain = false }
        // Nothing wanted: stays registered for reading, at no cost as long as nothing comes.
        let needed = wanted.isEmpty ? [.readable] : wanted
        guard watch.registration == nil || needed != watch.registered else { return }
        do throws(LoopFailure) {
            if let registration = watch.registration {
                try self.loop.update(registration, to: needed)
            } else if !wanted.isEmpty {
                watch.registration = try self.loop.register(watch.socket, for: needed, watch)
            }
            watch.registered = needed
        } catch {
            // Without it the request waits until its deadline, which is an answer.
            watch.registration = nil
        }
    }

    private func ready(_ watch: Watch, _ readiness: Readiness) {
        if watch.wanted.isEmpty {
            // Once, it is what has been read meanwhile by whoever stood in for the loop's thread.
            guard watch.wokeInVain || readiness.contains(.closed) else { return watch.wokeInVain = true }
            // The server closed a connection that was kept; libcurl will see it when it would use it.
            if let registration = watch.registration.take() { self.loop.deregister(registration) }
            return
        }
        var events: CInt = 0
        if readiness.contains(.readable) { events |= CURL_CSELECT_IN }
        if readiness.contains(.writable) { events |= CURL_CSELECT_OUT }
        if readiness.contains(.closed) { events |= CURL_CSELECT_IN }
        self.act(watch.socket, events)
    }

    /// libcurl is about to close a socket.
    func closing(_ socket: CInt) {
        guard let watch = self.watches.removeValue(forKey: socket) else { return }
        if let registration = watch.registration.take() { self.loop.deregister(registration) }
    }
}
