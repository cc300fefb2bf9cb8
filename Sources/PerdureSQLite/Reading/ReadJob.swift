/// A read that waits for its turn, and whoever waits for it.
struct ReadJob: Sendable {
    let request: Request

    enum Request: Sendable {
        case state(String, UnsafeContinuation<ReadAnswer<DurableState?>?, Never>)
        case states([String], UnsafeContinuation<[ReadAnswer<DurableState?>]?, Never>)
        case ids(ListRequest, UnsafeContinuation<ReadAnswer<StateIDPage>?, Never>)
        /// Anything that is read of runs; resumes who waits by itself.
        case runs(@Sendable (RunRows) -> Void)
        case ping(UnsafeContinuation<ReadAnswer<Void>?, Never>)
    }

    /// Whether it reads several rows, which should be of one moment.
    var isPlural: Bool {
        switch self.request {
        case .states, .runs: true
        case .state, .ids, .ping: false
        }
    }

    struct ListRequest: Sendable {
        let prefix: String
        let cursor: String?
        let limit: Int
    }
}

typealias ReadAnswer<Value: Sendable> = Result<Value, StoreError>
