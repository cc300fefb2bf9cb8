internal import COpenSSL

/// TLS as a machine: bytes from the other side in, bytes for it out, and no socket.
///
/// ```
/// _ = try session.shakeHands()                        // the client speaks first
/// send(session.takeOutput)                            // after everything
/// session.receive(bytesThatCame)                      // then, until established:
/// if try session.shakeHands() { … }                   // and from then on:
/// while case .bytes(let count) = try session.read(into: room) { … }
/// ```
///
/// It has one owner, on one thread at a time.
package final class TLSSession {
    /// Who the other side must be.
    package enum Peer: Sendable, Hashable {
        /// A host's name; it is told to the other side, too.
        case name(String)
        /// A numeric address.
        case address(String)
    }

    /// What reading came to.
    package enum Reading: Sendable, Hashable {
        /// So many bytes.
        case bytes(Int)
        /// More must come from the other side first.
        case later
        /// The other side said that it has ended.
        case end
    }

    private let session: OpaquePointer
    // Both belong to the session.
    private let input: OpaquePointer
    private let output: OpaquePointer
    /// Whether hands have been shaken.
    package private(set) var isEstablished = false

    /// Begins a session.
    ///
    /// - Parameters:
    ///   - context: What sessions have in common.
    ///   - peer: Who the other side must be; needed where the context verifies names.
    /// - Throws: ``TLSFailure`` where the peer is none that can be verified.
    package init(_ context: TLSContext, with peer: Peer?) throws(TLSFailure) {
        ERR_clear_error()
        guard let session = SSL_new(context.handle), let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem())
        else { throw .current("OpenSSL has no memory for a session") }
        SSL_set_bio(session, input, output)
        self.session = session
        self.input = input
        self.output = output
        if context.role == .client { SSL_set_connect_state(session) } else { SSL_set_accept_state(session) }
        switch peer {
        case .name(let name)?:
            _ = cossl_set_host_name(session, name)
            if context.verification == .authorityAndName {
                SSL_set_hostflags(session, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
                guard SSL_set1_host(session, name) == 1 else {
                    throw .current("\(name.debugDescription) is no name that can be verified")
                }
            }
        case .address(let address)?:
            if context.verification == .authorityAndName {
                guard X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), address) == 1 else {
                    throw .current("\(address.debugDescription) is no address that can be verified")
                }
            }
        case nil:
            if context.verification == .authorityAndName, context.role == .client {
                throw TLSFailure("whose certificate it should be was not said")
            }
        }
    }

    deinit { SSL_free(self.session) }

    /// Takes in bytes of the other side.
    package func receive(_ bytes: UnsafeRawBufferPointer) {
        // A memory BIO takes everything, or the program is out of memory.
        var rest = bytes
        while rest.count > 0 {
            let count = BIO_write(self.input, rest.baseAddress, CInt(min(rest.count, 1 << 30)))
            guard count > 0 else { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[Int(count)...])
        }
    }

    /// How many bytes wait to be sent to the other side.
    package var outputByteCount: Int { BIO_ctrl_pending(self.output) }

    /// Takes out bytes for the other side.
    ///
    /// - Returns: How many bytes of `room` were filled; 0 where there is nothing.
    package func takeOutput(into room: UnsafeMutableRawBufferPointer) -> Int {
        guard room.count > 0, self.outputByteCount > 0 else { return 0 }
        return max(0, Int(BIO_read(self.output, room.baseAddress, CInt(min(room.count, 1 << 30)))))
    }

    /// Goes on shaking hands, as far as what came allows.
    ///
    /// - Returns: Whether that is done.
    /// - Throws: ``TLSFailure``; what there is to tell the other side is in the output all the same.
    package func shakeHands() throws(TLSFailure) -> Bool {
        if self.isEstablished { return true }
        ERR_clear_error()
        let status = SSL_do_handshake(self.session)
        if status == 1 {
            self.isEstablished = true
            return true
        }
        switch SSL_get_error(self.session, status) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return false
        default: throw .current("the handshake failed", verification: Int(SSL_get_verify_result(self.session)))
        }
    }

    /// Reads what the other side said.
    ///
    /// - Throws: ``TLSFailure`` where the bytes are not what the other side sent.
    package func read(into room: UnsafeMutableRawBufferPointer) throws(TLSFailure) -> Reading {
        guard room.count > 0 else { return .later }
        ERR_clear_error()
        let count = SSL_read(self.session, room.baseAddress, CInt(min(room.count, 1 << 30)))
        if count > 0 { return .bytes(Int(count)) }
        switch SSL_get_error(self.session, count) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .later
        case SSL_ERROR_ZERO_RETURN: return .end
        default: throw .current("what came cannot be read")
        }
    }

    /// Says something to the other side; afterwards it is in the output.
    ///
    /// - Returns: How many bytes were taken: all, unless the session has to hear from the other side first.
    /// - Throws: ``TLSFailure`` where the session is over.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(TLSFailure) -> Int {
        guard bytes.count > 0 else { return 0 }
        ERR_clear_error()
        let count = SSL_write(self.session, bytes.baseAddress, CInt(min(bytes.count, 1 << 30)))
        if count > 0 { return Int(count) }
        switch SSL_get_error(self.session, count) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return 0
        default: throw .current("the session takes nothing more")
        }
    }

    /// Tells the other side that nothing more comes; that is in the output then.
    package func end() {
        ERR_clear_error()
        if self.isEstablished { _ = SSL_shutdown(self.session) }
    }
}
