internal import PerdureConcurrency
internal import PerdureModel

/// Where credentials come from.
protocol CredentialsSource: Sendable {
    /// Fetches credentials; may take a while.
    func fetch() async throws(CredentialsFailure) -> AWSCredentials
}

/// Credentials that are given.
struct FixedCredentials: CredentialsSource {
    let credentials: AWSCredentials
    func fetch() async throws(CredentialsFailure) -> AWSCredentials { self.credentials }
}

/// Keeps the credentials of a source, and fetches new ones before they end: one fetch at a time, whoever waits for it.
final class CredentialsCache: Sendable {
    private struct State {
        var identity: SigningIdentity?
        /// From when on new ones are fetched while the old ones still serve.
        var refreshTime = Int64.max
        /// From when on nobody may use them.
        var endTime = Int64.max
        var fetch: Task<Result<SigningIdentity, CredentialsFailure>, Never>?
    }

    /// New ones are fetched so long before the old ones end, in milliseconds.
    static let refreshAhead: Int64 = 5 * 60_000
    /// So long before their end they are not used any more: a request takes time, and clocks differ.
    static let margin: Int64 = 10_000

    private let source: any CredentialsSource
    private let clock: any PerdureClock
    private let state = LockedState(State())

    init(_ source: any CredentialsSource, clock: any PerdureClock) {
        self.source = source
        self.clock = clock
    }

    /// What to sign with now.
    func identity() async throws(CredentialsFailure) -> SigningIdentity {
        let now = self.clock.unixMilliseconds
        enum Next { case use(SigningIdentity), wait(Task<Result<SigningIdentity, CredentialsFailure>, Never>) }
        let next: Next = self.state.withLock { state in
            if let identity = state.identity, now < state.refreshTime { return .use(identity) }
            if state.fetch == nil { state.fetch = Task.detached { await self.fetch() } }
            // Those that still serve are good enough while new ones are on their way.
            if let identity = state.identity, now < state.endTime { return .use(identity) }
            return state.fetch.map { .wait($0) } ?? .wait(Task.detached { await self.fetch() })
        }
        switch next {
        case .use(let identity): return identity
        case .wait(let fetch): return try await fetch.value.get()
        }
    }

    /// The service does not take them any more: the next request fetches new ones.
    func invalidate() {
        self.state.withLock { state in
            state.refreshTime = .min
            state.endTime = .min
        }
    }

    private func fetch() async -> Result<SigningIdentity, CredentialsFailure> {
        let result: Result<SigningIdentity, CredentialsFailure>
        do throws(CredentialsFailure) {
            result = .success(SigningIdentity(try await self.source.fetch()))
        } catch {
            result = .failure(error)
        }
        let now = self.clock.unixMilliseconds
        return self.state.withLock { state in
            state.fetch = nil
            guard case .success(let identity) = result else {
                // Not at every request: the old ones serve a while yet, and whoever gave them is busy or away.
                if state.identity != nil, now < state.endTime { state.refreshTime = min(now + 30_000, state.endTime) }
                return result
            }
            state.identity = identity
            if let end = identity.credentials.expiration {
                state.endTime = end - Self.margin
                state.refreshTime = max(
                    end - Self.refreshAhead, now + min(30_000, max(0, (end - Self.margin - now) / 2)))
            } else {
                (state.endTime, state.refreshTime) = (.max, .max)
            }
            return result
        }
    }
}
