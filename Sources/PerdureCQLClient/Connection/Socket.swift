internal import Glibc
internal import PerdureCQL

/// A TCP socket that never blocks; closed when it is no more.
struct Socket: ~Copyable {
    /// What a call came to.
    enum Transfer: Equatable {
        /// So many bytes went.
        case bytes(Int)
        /// Nothing can be taken or given now.
        case later
        /// The other side has ended.
        case end
        /// It broke, with the system's error number.
        case failed(CInt)
    }

    /// The system refused, with its error number.
    struct Refusal: Error {
        let errorNumber: CInt
    }

    let descriptor: CInt

    /// Begins to connect; once it can be written, ``pendingError`` says what came of it.
    static func connect(to endpoint: CQLEndpoint) throws(Refusal) -> Socket {
        let family = if case .v4 = endpoint.address { AF_INET } else { AF_INET6 }
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw Refusal(errorNumber: errno) }
        let opened = Socket(descriptor: descriptor)
        // Requests gather by themselves; what is written is to leave at once.
        var yes: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
        let status = Self.withAddress(of: endpoint) { Glibc.connect(descriptor, $0, $1) }
        let error = errno
        guard status == 0 || error == EINPROGRESS else { throw Refusal(errorNumber: error) }
        return opened
    }

    private init(descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(self.descriptor) }

    private static func withAddress(
        of endpoint: CQLEndpoint, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        switch endpoint.address {
        case .v4(let bits):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = endpoint.port.bigEndian
            address.sin_addr.s_addr = bits.bigEndian
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .v6(let high, let low):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = endpoint.port.bigEndian
            withUnsafeMutableBytes(of: &address.sin6_addr) { bytes in
                bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
                bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
    }

    /// What came of connecting: 0, or the system's error number.
    borrowing func pendingError() -> CInt {
        var error: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(self.descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno
    }

    borrowing func receive(into room: UnsafeMutableRawBufferPointer) -> Transfer {
        guard room.count > 0 else { return .later }
        let count = recv(self.descriptor, room.baseAddress, room.count, 0)
        if count > 0 { return .bytes(count) }
        if count == 0 { return .end }
        return Self.transfer(errno)
    }

    borrowing func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        guard bytes.count > 0 else { return .bytes(0) }
        let count = Glibc.send(self.descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        return count >= 0 ? .bytes(count) : Self.transfer(errno)
    }

    private static func transfer(_ error: CInt) -> Transfer {
        error == EAGAIN || error == EWOULDBLOCK || error == EINTR ? .later : .failed(error)
    }

    /// The system's words for an error number.
    static func words(_ errorNumber: CInt) -> String { String(cString: strerror(errorNumber)) }
}
