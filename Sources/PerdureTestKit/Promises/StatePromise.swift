/// One thing that every state store must do: a name, and a way to see whether a store does it.
///
/// The suite knows no test framework. With Swift Testing each promise is a test case of its own:
///
/// ```swift
/// @Test(arguments: StatePromise.all)
/// func keeps(_ promise: StatePromise) async throws {
///     try await promise.verify(on: MyStore())
/// }
/// ```
///
/// ``StatePromises/verify(_:promises:settings:)`` runs them all and makes a report.
public struct StatePromise: Sendable, Hashable, CustomStringConvertible {
    /// Which promise it belongs to: 1 to 10 are those of ``StateStore``; 11 is listing, 12 batches, 13 the feed of changes,
    /// 14 tasks on the store's executor.
    public let number: Int
    /// What the store does, as a sentence without a subject: "rejects a write that expects another version".
    public let name: String
    let check: Check

    /// How a promise is verified, and what that takes.
    enum Check: Sendable {
        typealias Corrupt = @Sendable (_ id: String) async throws -> Void
        typealias Lose = @Sendable (_ id: String) async throws -> Void

        /// On any store, also one that others use at the same time.
        case sharedStore(@Sendable (Trial) async throws -> Void)
        /// On a store that nobody else uses, because it gets disconnected.
        case ownStore(@Sendable (Trial) async throws -> Void)
        case listing(@Sendable (Trial, any StateListing) async throws -> Void)
        case batching(@Sendable (Trial, any StateBatching) async throws -> Void)
        case changes(@Sendable (Trial, any StateChanges) async throws -> Void)
        case hosting(@Sendable (Trial, any StateTaskHosting) async throws -> Void)
        /// Hosting on a store that nobody else uses, because it gets disconnected.
        case ownHosting(@Sendable (Trial, any StateTaskHosting) async throws -> Void)
        case corruption(@Sendable (Trial, Corrupt) async throws -> Void)
        case lostAnswer(@Sendable (Trial, Lose) async throws -> Void)
        case lostRequest(@Sendable (Trial, Lose) async throws -> Void)
    }

    init(_ number: Int, _ name: String, _ check: Check) {
        self.number = number
        self.name = name
        self.check = check
    }

    init(_ number: Int, _ name: String, _ verify: @escaping @Sendable (Trial) async throws -> Void) {
        self.init(number, name, .sharedStore(verify))
    }

    /// The number and the name.
    public var description: String { "\(self.number): \(self.name)" }

    /// Whether verifying this promise takes a store that nobody else uses meanwhile, because it gets disconnected.
    public var needsOwnStore: Bool {
        switch self.check {
        case .ownStore, .ownHosting: true
        default: false
        }
    }

    /// Promises are the same when number and name are: names are unique.
    public static func == (left: StatePromise, right: StatePromise) -> Bool {
        left.number == right.number && left.name == right.name
    }

    /// Hashes number and name.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.number)
        hasher.combine(self.name)
    }
}

extension StatePromise {
    /// Every promise, in the order of the numbers.
    public static let all: [StatePromise] = [
        reading, linearizability, conditions, concurrency, outcomes, deleting, limits, undecodable, cancellation,
        identifiers, listing, batching, changes, hosting,
    ].flatMap { $0 }.enumerated().sorted { ($0.element.number, $0.offset) < ($1.element.number, $1.offset) }
        .map(\.element)

    /// What a promise of this number is about, in a few words; nil for a number that there is not.
    public static func title(ofNumber number: Int) -> String? {
        switch number {
        case 1: "Reads return what was written"
        case 2: "Reads see every acknowledged write"
        case 3: "Conditions are kept"
        case 4: "One of several writers wins"
        case 5: "Failures say what became of the write"
        case 6: "Deleted IDs go on counting"
        case 7: "Limits are refused, and nothing is half visible"
        case 8: "Unreadable rows are errors"
        case 9: "Cancelling leaves nothing half done"
        case 10: "Every valid ID works"
        case 11: "Listing"
        case 12: "Batches"
        case 13: "The feed of changes"
        case 14: "Tasks on the store's executor"
        default: nil
        }
    }
}

extension StatePromise {
    /// Verifies this promise on `store`, which nobody else disconnects meanwhile; leaves the store connected.
    ///
    /// - Parameters:
    ///   - store: connects when first used. It may hold other states: the promise uses IDs of its own and deletes them.
    ///   - settings: the seed, sizes and limits.
    /// - Returns: whether it was kept, or why it could not be tested. What cannot be tested is no failure.
    /// - Throws: ``BrokenPromise``.
    @discardableResult
    public func verify(
        on store: any StateStore, settings: PromiseSettings = PromiseSettings()
    ) async throws(BrokenPromise) -> PromiseVerdict {
        try await self.verify(StateStoreFixture("store", makeStore: { store }), on: store, settings: settings)
    }

    /// Verifies this promise on a store that `fixture` makes, and disconnects it.
    ///
    /// - Returns: whether it was kept, or why it could not be tested. What cannot be tested is no failure.
    /// - Throws: ``BrokenPromise``.
    @discardableResult
    public func verify(
        on fixture: StateStoreFixture, settings: PromiseSettings = PromiseSettings()
    ) async throws(BrokenPromise) -> PromiseVerdict {
        let store: any StateStore
        do {
            store = try await fixture.makeStore()
        } catch {
            throw self.broken("a store to verify", "making one failed: \(String(reflecting: error))", settings)
        }
        let result: Result<PromiseVerdict, BrokenPromise>
        do throws(BrokenPromise) {
            result = .success(try await self.verify(fixture, on: store, settings: settings))
        } catch {
            result = .failure(error)
        }
        await store.disconnect()
        return try result.get()
    }

    /// Verifies this promise on `store` with what `fixture` can do to it.
    func verify(
        _ fixture: StateStoreFixture, on store: any StateStore, settings: PromiseSettings
    ) async throws(BrokenPromise) -> PromiseVerdict {
        let body: @Sendable (Trial) async throws -> Void
        switch self.check {
        case .sharedStore(let verify), .ownStore(let verify):
            body = verify
        case .listing(let verify):
            guard let store = store as? any StateListing else { return .notOffered("the store cannot list its IDs") }
            body = { try await verify($0, store) }
        case .batching(let verify):
            guard let store = store as? any StateBatching else { return .notOffered("the store has no batches") }
            body = { try await verify($0, store) }
        case .changes(let verify):
            guard let store = store as? any StateChanges else { return .notOffered("the store has no feed of changes") }
            body = { try await verify($0, store) }
        case .hosting(let verify), .ownHosting(let verify):
            guard let store = store as? any StateTaskHosting else {
                return .notOffered("the store has no thread for tasks")
            }
            body = { try await verify($0, store) }
        case .corruption(let verify):
            guard let corrupt = fixture.corruptRow else { return .notTested("no way to make a row unreadable") }
            body = { trial in try await verify(trial) { try await corrupt(store, $0) } }
        case .lostAnswer(let verify):
            guard let lose = fixture.loseNextAnswer else { return .notTested("no way to lose an answer") }
            body = { trial in try await verify(trial) { try await lose(store, $0) } }
        case .lostRequest(let verify):
            guard let lose = fixture.loseNextRequest else { return .notTested("no way to lose a request") }
            body = { trial in try await verify(trial) { try await lose(store, $0) } }
        }
        let trial = Trial(of: self, on: store, settings: settings)
        return try await trial.judge {
            try await body(trial)
        } cleanUp: {
            await trial.deleteEverything()
        }
    }

    func broken(
        _ expected: String, _ found: String, _ settings: PromiseSettings,
        fileID: StaticString = #fileID, line: UInt = #line
    ) -> BrokenPromise {
        BrokenPromise(
            number: self.number, name: self.name, expected: expected, found: found, seed: settings.seed,
            location: "\(fileID):\(line)")
    }
}
