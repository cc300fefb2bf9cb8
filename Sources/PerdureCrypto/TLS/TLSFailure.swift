internal import COpenSSL

/// What went wrong with TLS.
package struct TLSFailure: Error, Sendable, CustomStringConvertible {
    /// What was being done, or what is wrong.
    package let description: String
    /// Whether a certificate is at fault, so that trying again cannot help.
    package let isUntrusted: Bool

    package init(_ description: String, isUntrusted: Bool = false) {
        self.description = description
        self.isUntrusted = isUntrusted
    }

    /// Takes OpenSSL's own words, all that this thread has; its list is empty afterwards.
    static func current(_ what: String, verification: Int = 0) -> TLSFailure {
        var words: [String] = []
        var isUntrusted = verification != Int(X509_V_OK)
        // Bounded: OpenSSL keeps 16.
        for _ in 0..<32 {
            let error = ERR_get_error()
            if error == 0 { break }
            if cossl_is_certificate_error(error) != 0 { isUntrusted = true }
            if let reason = ERR_reason_error_string(error) { words.append(String(cString: reason)) }
        }
        if verification != Int(X509_V_OK), let reason = X509_verify_cert_error_string(verification) {
            words.append(String(cString: reason))
        }
        let description = words.isEmpty ? what : what + ": " + words.joined(separator: "; ")
        return TLSFailure(description, isUntrusted: isUntrusted)
    }
}
