internal import Glibc

/// A port of loopback on which nobody listens, nor will while this is held: whoever connects is refused.
///
/// One that was closed is somebody else's a moment later.
package final class ClosedPort: Sendable {
    package let port: Int
    private let descriptor: CInt

    package init() throws { (self.descriptor, self.port) = try Sockets.bind(mayBeTakenOver: false) }

    deinit { close(self.descriptor) }
}
