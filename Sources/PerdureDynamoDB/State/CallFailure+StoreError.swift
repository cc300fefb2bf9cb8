internal import PerdureModel

/// The one place where the service's errors become errors of the contract.
extension CallFailure {
    /// The error of the contract: its code, its outcome, and a sentence about what to do.
    func storeError(
        _ operation: StoreError.Operation, of id: String? = nil, mayHaveHappened: Bool = false,
        fileID: StaticString = #fileID, line: UInt = #line
    ) -> StoreError {
        let (code, advice) = self.verdict
        let isChange = operation == .write || operation == .delete
        let tries = self.attempts > 1 ? "; after \(self.attempts) attempts" : ""
        return StoreError(
            code, outcome: isChange && (self.mayHaveHappened || mayHaveHappened) ? .unknown : .notApplied,
            operation: operation, persistenceID: id, message: "\(advice) [\(self)\(tries)]", fileID: fileID, line: line)
    }

    private var verdict: (StoreError.Code, String) {
        switch self.cause {
        case .transport(let failure):
            switch failure.reason {
            case .notConnected:
                return (.unavailable, "no connection to DynamoDB; see that endpoint and region are right")
            case .broken: return (.unavailable, "the connection to DynamoDB was lost; try again")
            case .timeout: return (.timeout, "no answer from DynamoDB in time; try again, or allow more time")
            case .shutDown: return (.closed, "the store was disconnected; call connect() to use it again")
            }
        case .flaw: return (.unavailable, "DynamoDB's answer cannot be read; try again")
        case .credentials(let failure):
            return failure.isTransient
                ? (.unavailable, "credentials could not be fetched; try again")
                : (.forbidden, "there are no credentials to sign requests with")
        case .fault(let fault): return fault.verdict
        }
    }
}

extension ServiceFault {
    /// Whether a condition was not met, in a single write or in a transaction.
    var isFailedCondition: Bool {
        self.name == "ConditionalCheckFailedException"
            || self.name == "TransactionCanceledException"
                && self.reasons.contains { $0.code == "ConditionalCheckFailed" }
    }

    fileprivate var verdict: (StoreError.Code, String) {
        switch self.name {
        case "ResourceNotFoundException":
            return (.misconfigured, "there is no such table in this region; name another, or call setup()")
        case "AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidSignatureException",
            "IncompleteSignatureException", "MissingAuthenticationTokenException", "MissingAuthenticationToken",
            "ExpiredTokenException", "ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "OptInRequired":
            return (.forbidden, "the credentials do not suffice; see that they are valid and may use the table")
        case "ThrottlingException", "Throttling", "ThrottledException", "ProvisionedThroughputExceededException",
            "RequestLimitExceeded", "TooManyRequestsException", "SlowDown", "RequestThrottled":
            return (.throttled, "the table is used more than its capacity allows; raise it, or ask less often")
        case "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture":
            return (.misconfigured, "this machine's clock is wrong; set it")
        case "ValidationException":
            if self.message.contains("key") || self.message.contains("Key") {
                return (
                    .misconfigured,
                    "the table has not the key and the indexes that this store needs; use one that setup() made"
                )
            }
            if self.message.contains("Item size") || self.message.contains("size has exceeded") {
                return (.payloadTooLarge, "the item is larger than DynamoDB takes; make the state smaller")
            }
            return (.internalError, "DynamoDB does not accept the request, which it should; please report it")
        case "TransactionConflictException", "TransactionCanceledException", "TransactionInProgressException":
            if self.reasons.contains(where: {
                $0.code == "ThrottlingError" || $0.code == "ProvisionedThroughputExceeded"
            }) {
                return (.throttled, "the table is used more than its capacity allows; raise it, or ask less often")
            }
            if self.reasons.contains(where: { $0.code == "ValidationError" }) {
                return (
                    .misconfigured,
                    "the table has not the key and the indexes that this store needs; use one that setup() made"
                )
            }
            return (.unavailable, "others wrote the same item at the same time; try again")
        case "LimitExceededException", "ResourceInUseException", "TableInUseException":
            return (.unavailable, "tables are being changed, too many at once or this one; try again later")
        case "ContinuousBackupsUnavailableException":
            return (.unavailable, "the table is too new for backups; try again later")
        default:
            if self.status == 429 { return (.throttled, "the service asks to be called less often") }
            if self.status >= 500 { return (.unavailable, "DynamoDB failed; try again") }
            if (300..<400).contains(self.status) {
                return (.misconfigured, "the endpoint sends elsewhere, so it is not DynamoDB's; name another")
            }
            if self.name.hasPrefix("HTTP") {
                return (.misconfigured, "what answers at the endpoint is not DynamoDB; name another")
            }
            return (.internalError, "DynamoDB refused the request in a way that is not known here; please report it")
        }
    }
}
