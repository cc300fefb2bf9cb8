internal import PerdureCrypto

extension TLSContext {
    /// What the connections of a client have in common.
    convenience init(_ configuration: CQLTLSConfiguration) throws(TLSFailure) {
        let verification: Verification =
            switch configuration.verification {
            case .full: .authorityAndName
            case .authorityOnly: .authority
            case .none: .none
            }
        try self.init(
            .client,
            Files(
                authorities: configuration.authoritiesFile, certificate: configuration.certificateFile,
                privateKey: configuration.privateKeyFile), verification: verification)
    }
}
