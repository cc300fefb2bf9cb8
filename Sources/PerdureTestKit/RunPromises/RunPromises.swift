/// Runs the promise suite of run stores.
public enum RunPromises {
    /// Verifies promises on a store, several at a time, and reports every one.
    ///
    /// One store is opened for the promises that can share it, and one for each that needs its own; all are disconnected at the
    /// end. The runs of the suite are deleted again; of what else the store holds only ended runs whose time was over in 1969 are
    /// touched.
    ///
    /// - Parameters:
    ///   - fixture: how to open the store, and what can be done to it.
    ///   - promises: which to verify; all unless said.
    ///   - settings: the seed, sizes and limits.
    /// - Returns: what became of each promise, in the order of `promises`.
    public static func verify(
        _ fixture: RunStoreFixture, promises: [RunPromise] = RunPromise.all,
        settings: PromiseSettings = PromiseSettings()
    ) async -> PromiseReport {
        @Sendable func entry(_ promise: RunPromise, on shared: (any RunStore)?) async -> PromiseReport.Entry {
            await PromiseReport.entry(promise.number, promise.name) { () throws(BrokenPromise) in
                guard let shared, promise.needs != .ownStore else {
                    return try await promise.verify(on: fixture, settings: settings)
                }
                return try await promise.verify(fixture, on: shared, settings: settings)
            }
        }
        // Where it cannot be opened, each promise says so by itself.
        let shared = try? await fixture.makeStore()
        let places = Array(promises.enumerated())
        let together = places.filter { $0.element.needs != .quiet }
        let alone = places.filter { $0.element.needs == .quiet }
        var entries: [PromiseReport.Entry?] = Array(repeating: nil, count: promises.count)
        for (some, parallelism) in [(together, settings.parallelism), (alone, 1)] {
            let done = await PromiseReport.entries(some.map(\.element), parallelism: parallelism) {
                await entry($0, on: shared)
            }
            for (place, entry) in zip(some, done) { entries[place.offset] = entry }
        }
        await shared?.disconnect()
        return PromiseReport(
            store: fixture.name, seed: settings.seed, entries: entries.compactMap { $0 }, contract: .runs)
    }
}
