import Glibc

/// Blocking sockets of loopback, for threads of tests.
enum Sockets {
    struct Failure: Error { let call: String }

    /// Listens on a port, or a free one; returns the descriptor and the port.
    static func listen(on wanted: UInt16 = 0) throws -> (descriptor: CInt, port: UInt16) {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var yes: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = wanted.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && Glibc.listen(descriptor, 64) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard descriptor >= 0, isBound else { throw Failure(call: "listen") }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    /// What comes next; empty at the end.
    static func receive(from descriptor: CInt) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 65536) { room, count in
            count = max(0, recv(descriptor, room.baseAddress, room.count, 0))
        }
    }

    static func send(_ bytes: some Collection<UInt8>, to descriptor: CInt) -> Bool {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Ends a connection, or a listener, that another thread waits on; that thread closes it.
    static func end(_ descriptor: CInt) { shutdown(descriptor, CInt(SHUT_RDWR)) }
}
