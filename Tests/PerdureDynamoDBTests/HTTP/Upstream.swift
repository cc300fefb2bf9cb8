import Glibc
import Peers
import PerdureConcurrency

/// The way of a peer to the server behind it, on connections that are kept.
final class Upstream: Sendable {
    private let port: Int
    private let idle = LockedState<[CInt]>([])

    init(to port: Int) { self.port = port }

    deinit { for descriptor in self.idle.withLock({ $0 }) { close(descriptor) } }

    /// The server's answer to `request`, as it came; nil where there is none.
    func answer(to request: ScriptedPeer.Request) -> [UInt8]? {
        guard let connection = self.idle.withLock({ $0.popLast() }).flatMap(Self.kept) ?? Sockets.connect(to: self.port)
        else { return nil }
        var head = request.line + "\r\n"
        for (name, value) in request.headers where name != "connection" { head += "\(name): \(value)\r\n" }
        var stream = PeerStream(connection)
        guard Sockets.send(Array((head + "\r\n").utf8) + request.body, to: connection), let answer = stream.next()
        else {
            close(connection)
            return nil
        }
        let isLast = answer.headers.contains { $0.name == "connection" && $0.value.lowercased() == "close" }
        if isLast { close(connection) } else { self.idle.withLock { $0.append(connection) } }
        return answer.bytes
    }

    /// The connection, unless the server has ended it meanwhile.
    private static func kept(_ connection: CInt) -> CInt? {
        var byte: UInt8 = 0
        if recv(connection, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) < 0, errno == EAGAIN { return connection }
        close(connection)
        return nil
    }
}
