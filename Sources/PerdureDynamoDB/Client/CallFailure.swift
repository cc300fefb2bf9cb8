/// Why a call of the service failed in the end.
struct CallFailure: Error, Sendable, CustomStringConvertible {
    enum Cause: Sendable {
        /// The service said no.
        case fault(ServiceFault)
        /// There was no answer.
        case transport(HTTPFailure)
        /// There was an answer, but it cannot be read.
        case flaw(String)
        /// There is nothing to sign with.
        case credentials(CredentialsFailure)
    }

    var cause: Cause
    /// Whether this attempt, or one before it, may have been carried out, now or later.
    var mayHaveHappened: Bool
    var attempts = 1

    /// The service's error, if it is one.
    var fault: ServiceFault? { if case .fault(let fault) = self.cause { fault } else { nil } }

    var description: String {
        switch self.cause {
        case .fault(let fault): fault.description
        case .transport(let failure): failure.description
        case .flaw(let words): words
        case .credentials(let failure): failure.description
        }
    }
}

/// There are no credentials, or the way to them failed.
///
/// Says where was looked, never a secret.
struct CredentialsFailure: Error, Sendable, CustomStringConvertible {
    /// Whether another try may succeed.
    var isTransient: Bool
    var description: String
}

extension CallFailure {
    /// What may be done about a failure.
    enum Remedy: Sendable, Equatable {
        case none
        /// Send it again, after a while.
        case again
        /// Send it again, after a longer while: the service asks for it.
        case againSlower
        /// Fetch credentials anew, and send it again.
        case newCredentials
        /// Take the service's time for the time, and send it again.
        case itsTime(Int64)
    }

    var remedy: Remedy {
        switch self.cause {
        case .transport(let failure): failure.reason == .shutDown ? .none : .again
        case .flaw: .again
        case .credentials(let failure): failure.isTransient ? .again : .none
        case .fault(let fault): fault.remedy
        }
    }
}

extension ServiceFault {
    /// Whether the service may have carried the request out before it failed.
    ///
    /// Everything that it refuses, it has not.
    var mayHaveHappened: Bool { self.status >= 500 || self.name == "TransactionInProgressException" }

    fileprivate var remedy: CallFailure.Remedy {
        switch self.name {
        case "ThrottlingException", "Throttling", "ThrottledException", "ProvisionedThroughputExceededException",
            "RequestLimitExceeded", "TooManyRequestsException", "SlowDown", "RequestThrottled",
            // A new table has backups only after a while.
            "ContinuousBackupsUnavailableException":
            return .againSlower
        case "TransactionConflictException", "TransactionInProgressException", "InternalServerError", "InternalFailure",
            "ServiceUnavailable", "ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException",
            "ReplicatedWriteConflictException":
            return .again
        case "TransactionCanceledException":
            // Only if nothing but bad luck was in the way.
            let codes = Set(self.reasons.map(\.code)).subtracting(["None"])
            if codes.isEmpty { return .none }
            if codes.isSubset(of: ["TransactionConflict"]) { return .again }
            let slower: Set = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
            return codes.isSubset(of: slower) ? .againSlower : .none
        case "ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId":
            return .newCredentials
        case "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "AuthFailure":
            return self.date.map { .itsTime($0) } ?? .none
        case "InvalidSignatureException", "SignatureDoesNotMatch":
            // A wrong secret is refused under the same name; only the words tell a wrong clock.
            guard self.message.contains("xpired") || self.message.contains("not yet current"), let date = self.date
            else {
                return .none
            }
            return .itsTime(date)
        default:
            if self.status == 429 { return .againSlower }
            return self.status >= 500 ? .again : .none
        }
    }
}
