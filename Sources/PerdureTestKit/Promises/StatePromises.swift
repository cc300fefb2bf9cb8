/// Runs the promise suite.
public enum StatePromises {
    /// Verifies promises on the stores that `makeStore` opens.
    ///
    /// See ``verify(_:promises:settings:)``.
    public static func verify(
        _ name: String = "store", promises: [StatePromise] = StatePromise.all,
        settings: PromiseSettings = PromiseSettings(), makeStore: @escaping @Sendable () async throws -> any StateStore
    ) async -> PromiseReport {
        await self.verify(StateStoreFixture(name, makeStore: makeStore), promises: promises, settings: settings)
    }

    /// Verifies promises on a store, several at a time, and reports every one.
    ///
    /// One store is opened for the promises that can share it, and one for each that needs its own; all are disconnected at the
    /// end. The states of the run are deleted again; what else the store holds is not touched. A promise that came to nothing because
    /// the store could not keep up is verified once more, alone.
    ///
    /// - Parameters:
    ///   - fixture: how to open the store, and what can be done to it.
    ///   - promises: which to verify; all unless said.
    ///   - settings: the seed, sizes and limits.
    ///   - progress: gets each entry as it is made, in any order; one that is made at a second try takes the place of another.
    /// - Returns: what became of each promise, in the order of `promises`.
    public static func verify(
        _ fixture: StateStoreFixture, promises: [StatePromise] = StatePromise.all,
        settings: PromiseSettings = PromiseSettings(),
        progress: (PromiseReport.Entry) -> Void = { _ in }
    ) async -> PromiseReport {
        let shared: any StateStore
        do {
            shared = try await fixture.makeStore()
        } catch {
            let reason = "no store could be opened: \(String(reflecting: error))"
            return PromiseReport(
                store: fixture.name, seed: settings.seed,
                entries: promises.map { promise in
                    let broken = promise.broken("a store to verify", reason, settings)
                    return .init(
                        number: promise.number, name: promise.name, verdict: .broken(broken), microseconds: 0)
                })
        }
        @Sendable func entry(_ promise: StatePromise) async -> PromiseReport.Entry {
            await PromiseReport.entry(promise.number, promise.name) { () throws(BrokenPromise) in
                promise.needsOwnStore
                    ? try await promise.verify(on: fixture, settings: settings)
                    : try await promise.verify(fixture, on: shared, settings: settings)
            }
        }
        var entries = await PromiseReport.entries(
            promises, parallelism: settings.parallelism, progress: progress, verify: entry)
        entries = await PromiseReport.tryingAgain(entries, of: promises, verify: entry)
        await shared.disconnect()
        return PromiseReport(store: fixture.name, seed: settings.seed, entries: entries)
    }
}
