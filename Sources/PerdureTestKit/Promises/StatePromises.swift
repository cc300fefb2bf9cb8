internal import PerdureConcurrency

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
    /// end. The states of the run are deleted again; what else the store holds is not touched.
    ///
    /// - Parameters:
    ///   - fixture: how to open the store, and what can be done to it.
    ///   - promises: which to verify; all unless said.
    ///   - settings: the seed, sizes and limits.
    /// - Returns: what became of each promise, in the order of `promises`.
    public static func verify(
        _ fixture: StateStoreFixture, promises: [StatePromise] = StatePromise.all,
        settings: PromiseSettings = PromiseSettings()
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
        let entries = await withTaskGroup(of: (Int, PromiseReport.Entry).self) { group in
            var waiting = promises.enumerated().makeIterator()
            func startNext() {
                guard let (place, promise) = waiting.next() else { return }
                group.addTask { (place, await self.verify(promise, fixture, on: shared, settings)) }
            }
            for _ in 0..<settings.parallelism { startNext() }
            var entries: [(Int, PromiseReport.Entry)] = []
            while let entry = await group.next() {
                entries.append(entry)
                startNext()
            }
            return entries.sorted { $0.0 < $1.0 }.map(\.1)
        }
        await shared.disconnect()
        return PromiseReport(store: fixture.name, seed: settings.seed, entries: entries)
    }

    private static func verify(
        _ promise: StatePromise, _ fixture: StateStoreFixture, on shared: any StateStore, _ settings: PromiseSettings
    ) async -> PromiseReport.Entry {
        let clock = SystemClock()
        let start = clock.now
        let verdict: PromiseVerdict
        do throws(BrokenPromise) {
            verdict =
                if promise.needsOwnStore {
                    try await promise.verify(on: fixture, settings: settings)
                } else {
                    try await promise.verify(fixture, on: shared, settings: settings)
                }
        } catch {
            verdict = .broken(error)
        }
        let took = (clock.now - start).components
        return PromiseReport.Entry(
            number: promise.number, name: promise.name, verdict: verdict,
            microseconds: took.seconds * 1_000_000 + took.attoseconds / 1_000_000_000_000)
    }
}
