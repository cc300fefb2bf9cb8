internal import Glibc
internal import PerdureConcurrency

/// Finds the addresses of host names away from the loop, because the system's resolver blocks.
package enum HostResolver {
    /// A host's addresses in the order in which the system prefers them, or why there are none.
    package typealias Answer = Result<[String], Failure>

    /// A name that the system could not resolve.
    package struct Failure: Error, CustomStringConvertible {
        package let host: String
        package let reason: String
        package var description: String { "the host \(self.host.debugDescription) cannot be resolved: \(self.reason)" }
    }

    /// Looks up all `hosts` on a thread of its own, then calls `answer` on the loop.
    package static func resolve(
        _ hosts: [String], on loop: EventLoop, _ answer: @escaping @Sendable ([Answer]) -> Void
    ) {
        do throws(BlockingThread.StartFailure) {
            try BlockingThread.start(named: "perdure-dns") {
                let answers = hosts.map { Self.lookUp($0, flags: AI_ADDRCONFIG) }
                loop.perform { answer(answers) }
            }
        } catch {
            let answers = hosts.map { Answer.failure(Failure(host: $0, reason: "\(error)")) }
            loop.perform { answer(answers) }
        }
    }

    /// Whether `host` is an address already, so that nothing has to be looked up.
    package static func isAddress(_ host: String) -> Bool {
        if case .success = self.lookUp(host, flags: AI_NUMERICHOST) { return true }
        return false
    }

    private static func lookUp(_ host: String, flags: CInt) -> Answer {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        guard status == 0 else { return .failure(Failure(host: host, reason: String(cString: gai_strerror(status)))) }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var entry = list
        while let current = entry {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let info = current.pointee
            if getnameinfo(
                info.ai_addr, info.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            {
                let address = text.withUnsafeBufferPointer { text in
                    String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                }
                if !addresses.contains(address) { addresses.append(address) }
            }
            entry = info.ai_next
        }
        return .success(addresses)
    }
}
