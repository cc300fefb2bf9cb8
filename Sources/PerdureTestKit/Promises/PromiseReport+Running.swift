internal import PerdureConcurrency

extension PromiseReport {
    /// Verifies promises, several at a time; the entries stand at the places of the promises.
    static func entries<Promise: Sendable>(
        _ promises: [Promise], parallelism: Int, progress: (Entry) -> Void,
        verify: @escaping @Sendable (Promise) async -> Entry
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
                progress(entry.1)
                startNext()
            }
            return entries.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// Verifies again, each alone, what came to nothing because the store could not keep up; up to the first that fails alone as well.
    ///
    /// A small server that is asked too much at a time breaks no promise by that. So as not to hide anything, the entry says that there was a
    /// first try.
    static func tryingAgain<Promise>(
        _ entries: [Entry], of promises: [Promise], verify: (Promise) async -> Entry
    ) async -> [Entry] {
        var entries = entries
        for (place, promise) in promises.enumerated() {
            guard case .broken(let first) = entries[place].verdict, first.isOverload else { continue }
            var second = await verify(promise)
            guard second.verdict == .kept else { break }
            second.remark = "at the second try, alone; at the first: \(first.found)"
            entries[place] = second
        }
        return entries
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
