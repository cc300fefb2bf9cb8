internal import COpenSSL

/// What the TLS sessions of a client, or of a test's server, have in common: whom to trust, and who we are.
///
/// `@unchecked Sendable`: nothing changes after `init`, and OpenSSL counts references to it atomically.
package final class TLSContext: @unchecked Sendable {
    /// Which end of connections it serves.
    package enum Role: Sendable { case client, server }

    /// What is verified of the other side's certificate.
    package enum Verification: Sendable { case none, authority, authorityAndName }

    /// The files with certificates and keys, all in PEM.
    package struct Files: Sendable {
        /// The authorities to trust; nil for the system's.
        package var authorities: String?
        /// Our certificate, followed by those that vouch for it.
        package var certificate: String?
        /// The key of our certificate.
        package var privateKey: String?

        package init(authorities: String? = nil, certificate: String? = nil, privateKey: String? = nil) {
            self.authorities = authorities
            self.certificate = certificate
            self.privateKey = privateKey
        }
    }

    let handle: OpaquePointer
    package let role: Role
    package let verification: Verification

    /// Reads the files.
    ///
    /// - Throws: ``TLSFailure`` that names the file that cannot be used.
    package init(_ role: Role, _ files: Files, verification: Verification) throws(TLSFailure) {
        ERR_clear_error()
        let method = role == .client ? TLS_client_method() : TLS_server_method()
        guard let handle = SSL_CTX_new(method) else { throw .current("OpenSSL cannot make a context") }
        self.handle = handle
        self.role = role
        self.verification = verification
        cossl_set_modes(handle)
        guard cossl_require_tls12(handle) == 1 else { throw .current("OpenSSL knows no TLS 1.2") }
        if let file = files.authorities {
            guard SSL_CTX_load_verify_locations(handle, file, nil) == 1 else {
                throw .current("the authorities in \(file.debugDescription) cannot be read")
            }
        } else if verification != .none {
            guard SSL_CTX_set_default_verify_paths(handle) == 1 else {
                throw .current("the system's authorities cannot be read")
            }
        }
        if let file = files.certificate {
            guard SSL_CTX_use_certificate_chain_file(handle, file) == 1 else {
                throw .current("the certificate in \(file.debugDescription) cannot be read")
            }
        }
        if let file = files.privateKey {
            guard SSL_CTX_use_PrivateKey_file(handle, file, SSL_FILETYPE_PEM) == 1 else {
                throw .current(
                    "the private key in \(file.debugDescription) cannot be read, or is not the certificate's")
            }
        }
        let mode = SSL_VERIFY_PEER | (role == .server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        SSL_CTX_set_verify(handle, verification == .none ? SSL_VERIFY_NONE : mode, nil)
    }

    deinit { SSL_CTX_free(self.handle) }
}
