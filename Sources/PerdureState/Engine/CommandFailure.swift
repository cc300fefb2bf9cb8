/// Why a command failed, as far as that does not depend on its behavior: ``CommandError`` without the rejection.
@usableFromInline
enum CommandFailure: Error {
    case store(StoreError)
    case contended(attempts: Int, last: StoreError)
    case overloaded(String)
    case deadlineExceeded(StoreError.Outcome)
    case cancelled
    case stopped
}

extension CommandError {
    @usableFromInline
    init(_ failure: CommandFailure) {
        self =
            switch failure {
            case .store(let error): .store(error)
            case .contended(let attempts, let last): .contended(attempts: attempts, last: last)
            case .overloaded(let reason): .overloaded(reason)
            case .deadlineExceeded(let outcome): .deadlineExceeded(outcome)
            case .cancelled: .cancelled
            case .stopped: .stopped
            }
    }
}
