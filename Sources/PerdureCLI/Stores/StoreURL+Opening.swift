internal import Glibc
internal import PerdureState
internal import PerdureStores

extension StoreURL {
    /// A URL of each kind of store that outlives the process.
    static let examples = Kind.allCases.filter { $0 != .memory }.map(\.example)

    /// The store that a person named; one in memory only where that is of use.
    ///
    /// - Throws: ``Misuse`` when the text names none, or one that is of no use here.
    static func named(_ text: String, orMemory: Bool = false) throws(Misuse) -> StoreURL {
        let url: StoreURL
        do throws(Flaw) { url = try StoreURL(text) } catch {
            let kinds = Kind.allCases.map(\.rawValue)
            let meant = error.unknownScheme.flatMap { nearest(to: $0, among: kinds) }
            switch (meant, text.hasPrefix("sqlite:")) {
            case (let meant?, _): throw Misuse("\(error); did you mean \(meant):?")
            case (nil, true): throw Misuse("\(error)")
            case (nil, false): throw Misuse("\(error); such as \(Self.examples.joined(separator: ", "))")
            }
        }
        if url.kind == .memory, !orMemory {
            throw Misuse("what is in memory does not outlive the process: memory: is of no use here")
        }
        return url
    }

    /// Makes the store; opens nothing yet.
    ///
    /// A file that is not there is a mistake, unless the store is to be `made`.
    ///
    /// - Throws: ``Misuse`` also for what the store finds wrong with the URL.
    func store(made: Bool = false) throws(Misuse) -> ChosenStore {
        if self.kind == .sqlite, !made, access(self.rest, F_OK) != 0, errno == ENOENT || errno == ENOTDIR {
            throw Misuse(
                "there is no file \(self.rest.debugDescription); `perdure store setup --store \(self.text)` makes one")
        }
        do throws(StoreError) { return try ChosenStore(self) } catch { throw Misuse(error.message) }
    }
}
