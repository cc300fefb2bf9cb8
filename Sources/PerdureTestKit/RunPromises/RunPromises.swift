/// Runs the promise suite of run stores.
public enum RunPromises {
    /// Verifies promises on a store, several at a time, and reports every one.
    ///
    /// One store is opened for the promises that can share it, and one for each that needs its own; all are disconnected at the
    /// end. The runs of the suite are deleted again; of what else the store holds only ended runs whose time was over in 1969 are
    /// touched. A promise that came to nothing because the store could not keep up is verified once more, alone.
    ///
    /// - Parameters:
    ///   - fixture: how to open the store, and what can be done to it.
    ///   - promises: which to verify; all unless said.
    ///   - settings: the seed, sizes and limits.
    ///   - progress: gets each entry as it is made, in any order; one that is made at a second try takes the place of another.
    /// - Returns: what became of each promise, in the order of `promises`.
    public static func verify(
        _ fixture: RunStoreFixture, promises: [RunPromise] = RunPromise.all,
        settings: PromiseSettings = PromiseSettings(),
        progress: (PromiseReport.Entry) -> Void = { _ in }
    ) async -> PromiseReport {
        let prefixes = WorkflowPrefixes()
        // Where it cannot be opened, each promise says so by itself.
        let shared = try? await fixture.makeStore()
        @Sendable func entry(_ promise: RunPromise) async -> PromiseReport.Entry {
            await PromiseReport.entry(promise.number, promise.name) { () throws(BrokenPromise) in
                guard let shared, promise.needs != .ownStore else {
                    return try await promise.verify(on: fixture, settings: settings)
                }
                return try await promise.verify(fixture, on: shared, settings: settings, prefixes: prefixes)
            }
        }
        let places = Array(promises.enumerated())
        let together = places.filter { $0.element.needs != .quiet }
        let alone = places.filter { $0.element.needs == .quiet }
        var entries: [PromiseReport.Entry?] = Array(repeating: nil, count: promises.count)
        for (some, parallelism) in [(together, settings.parallelism), (alone, 1)] {
            let done = await PromiseReport.entries(
                some.map(\.element), parallelism: parallelism, progress: progress, verify: entry)
            for (place, entry) in zip(some, done) { entries[place.offset] = entry }
        }
        let all = await PromiseReport.tryingAgain(entries.compactMap { $0 }, of: promises, verify: entry)
        await shared?.disconnect()
        return PromiseReport(store: fixture.name, seed: settings.seed, entries: all, contract: .runs)
    }
}
