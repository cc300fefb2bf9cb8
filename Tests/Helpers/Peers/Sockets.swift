internal import Glibc

/// Blocking sockets of loopback, for threads of tests.
package enum Sockets {
    package struct Failure: Error { let call: String }

    /// Listens on a port, or a free one; returns the descriptor and the port.
    package static func listen(on wanted: Int = 0) throws -> (descriptor: CInt, port: Int) {
        let bound = try self.bind(to: wanted, mayBeTakenOver: true)
        guard Glibc.listen(bound.descriptor, 128) == 0 else {
            close(bound.descriptor)
            throw Failure(call: "listen")
        }
        return bound
    }

    /// Takes a port, or a free one; whoever connects to it is refused unless somebody listens.
    static func bind(to wanted: Int = 0, mayBeTakenOver: Bool) throws -> (descriptor: CInt, port: Int) {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(call: "socket") }
        // So that the port can be asked for by who takes this one's place.
        var reuse: CInt = mayBeTakenOver ? 1 : 0
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<CInt>.size))
        var address = Self.loopback(UInt16(wanted))
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                Glibc.bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isBound else {
            close(descriptor)
            throw Failure(call: "bind")
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    package static func connect(to port: Int) -> CInt? {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(UInt16(port))
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
        return address
    }

    /// Sends everything; false when the other side is gone.
    package static func send(_ bytes: some Collection<UInt8>, to descriptor: CInt) -> Bool {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// What has arrived, at most `limit` bytes; empty when the other side is gone.
    package static func receive(from descriptor: CInt, atMost limit: Int = 65_536) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, limit, 0)
        return count > 0 ? Array(buffer.prefix(count)) : []
    }

    /// Ends both directions, so that threads that wait on it return; close it afterwards.
    package static func end(_ descriptor: CInt) { shutdown(descriptor, CInt(SHUT_RDWR)) }
}
