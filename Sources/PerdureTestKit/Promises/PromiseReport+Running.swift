internal import PerdureConcurrency

extension PromiseReport {
    /// Verifies promises, several at a time; the entries stand at the places of the promises.
    static func entries<Promise: Sendable>(
        _ promises: [Promise], parallelism: Int, verify: @escaping @Sendable (Promise) async -> Entry
    ) async -> [Entry] {
        await withTaskGroup(of: (Int, Entry).self) { group in
            var waiting = promises.enumerated().makeIterator()
            func startNext() {
                guard let (place, promise) = waiting.next() else { return }
                group.addTask { (place, await verify(promise)) }
            }
            for _ in 0..<parallelism { startNext() }
            var entries: [(Int, Entry)] = []
            while let entry = await group.next() {
                entries.append(entry)
                startNext()
            }
            return entries.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// What becomes of one promise, and how long it takes.
    static func entry(
        _ number: Int, _ name: String, verify: () async throws(BrokenPromise) -> PromiseVerdict
    ) async -> Entry {
        let clock = SystemClock()
        let start = clock.now
        let verdict: PromiseVerdict
        do throws(BrokenPromise) { verdict = try await verify() } catch { verdict = .broken(error) }
        let took = (clock.now - start).components
        return Entry(
            number: number, name: name, verdict: verdict,
            microseconds: took.seconds * 1_000_000 + took.attoseconds / 1_000_000_000_000)
    }
}
