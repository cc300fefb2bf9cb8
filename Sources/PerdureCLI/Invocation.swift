internal import Glibc
internal import PerdureState
internal import PerdureStores
internal import PerdureWorkflow

/// One call of a command: what it was given, and where it writes to.
struct Invocation: Sendable {
    let command: Command
    let arguments: Arguments
    let output: Output

    /// The operand at a place; nil where it was left out.
    func operand(_ place: Int) -> String? {
        place < self.arguments.operands.count ? self.arguments.operands[place] : nil
    }

    func option(_ name: String) -> String? { self.arguments.options[name] }

    func has(_ option: String) -> Bool { self.arguments.has(option) }

    /// An option as a number of a range.
    ///
    /// - Throws: ``Misuse`` when it is none.
    func number(_ name: String, in range: ClosedRange<UInt64> = 0...UInt64(Int64.max)) throws(Misuse) -> UInt64? {
        guard let text = self.option(name) else { return nil }
        guard let number = UInt64(text), range.contains(number) else {
            throw Misuse(
                "--\(name) takes a whole number from \(range.lowerBound) to \(range.upperBound), not \(text.debugDescription)"
            )
        }
        return number
    }

    /// Makes the store that the command line or the environment names, lends it, and closes it whatever happens.
    ///
    /// A store in a file must be there, unless it is to be `made`.
    func withChosenStore<Result>(
        made: Bool = false, _ body: (ChosenStore) async throws -> Result
    ) async throws -> Result {
        let store = try self.storeURL().store(made: made)
        do {
            let result = try await body(store)
            await store.disconnect()
            return result
        } catch {
            await store.disconnect()
            throw error
        }
    }

    /// As ``withChosenStore(made:_:)``, for those who want to know of states only.
    func withStore<Result>(_ body: (any StateStore) async throws -> Result) async throws -> Result {
        try await self.withChosenStore { try await body($0.states) }
    }

    /// As ``withChosenStore(made:_:)``, for those who want to know of runs only.
    ///
    /// - Throws: ``Misuse`` where the store keeps none.
    func withRuns<Result>(_ body: (any RunStore) async throws -> Result) async throws -> Result {
        try await self.withChosenStore { store in
            guard let runs = store.runs else { throw Misuse("runs are not kept on \(store.url.kind.title)") }
            return try await body(runs)
        }
    }

    /// The store that the command line or the environment names; one in memory only where that is of use.
    func storeURL(orMemory: Bool = false) throws(Misuse) -> StoreURL {
        guard let url = self.option("store") ?? Self.environment("PERDURE_STORE"), !url.isEmpty else {
            throw Misuse("which store? Give --store URL, or set PERDURE_STORE; for example sqlite:bank.sqlite")
        }
        return try StoreURL.named(url, orMemory: orMemory)
    }

    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
