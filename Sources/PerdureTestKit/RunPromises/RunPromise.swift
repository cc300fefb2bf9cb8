/// One thing that every run store must do: a name, and a way to see whether a store does it.
///
/// The suite knows no test framework. With Swift Testing each promise is a test case of its own:
///
/// ```swift
/// @Test(arguments: RunPromise.all)
/// func keeps(_ promise: RunPromise) async throws {
///     try await promise.verify(on: RunStoreFixture("mine", makeStore: { MyStore() }))
/// }
/// ```
///
/// ``RunPromises/verify(_:promises:settings:)`` runs them all and makes a report.
public struct RunPromise: Sendable, Hashable, CustomStringConvertible {
    /// Which promise of ``RunStore`` it belongs to, 1 to 13.
    public let number: Int
    /// What the store does, as a sentence without a subject: "gives each due run to one worker".
    public let name: String
    let needs: Need
    let check: @Sendable (RunTrial) async throws -> Void

    /// What verifying takes beside a store.
    enum Need: Sendable {
        case nothing
        /// A store that gets disconnected.
        case ownStore
        /// A second store over the same data.
        case secondStore
        /// That nobody else removes ended runs meanwhile.
        case quiet
        case lostAnswer
        case lostRequest
    }

    init(
        _ number: Int, _ name: String, needs: Need = .nothing,
        _ check: @escaping @Sendable (RunTrial) async throws -> Void
    ) {
        self.number = number
        self.name = name
        self.needs = needs
        self.check = check
    }

    /// The number and the name.
    public var description: String { "\(self.number): \(self.name)" }

    /// Whether verifying this promise takes a store that nobody else uses meanwhile, because it gets disconnected.
    public var needsOwnStore: Bool { self.needs == .ownStore }

    /// Promises are the same when number and name are: names are unique.
    public static func == (left: RunPromise, right: RunPromise) -> Bool {
        left.number == right.number && left.name == right.name
    }

    /// Hashes number and name.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.number)
        hasher.combine(self.name)
    }
}

extension RunPromise {
    /// Every promise, in the order of the numbers.
    public static let all: [RunPromise] = [
        snapshots, reading, creating, conflicts, atomicity, outcomes, claiming, limits, workers, messages, listing,
        removing, cancelling, identifiers,
    ].flatMap { $0 }.enumerated().sorted { ($0.element.number, $0.offset) < ($1.element.number, $1.offset) }
        .map(\.element)

    /// What a promise of this number is about, in a few words; nil for a number that there is not.
    public static func title(ofNumber number: Int) -> String? {
        switch number {
        case 1: "Snapshots have what was stored"
        case 2: "Reads see every acknowledged change"
        case 3: "One of several creations makes the run"
        case 4: "Changes are fenced and counted"
        case 5: "Changes are whole or not at all"
        case 6: "Failures say what became of the change"
        case 7: "Runs are claimed in turn, within limits"
        case 8: "Workers that are gone are out"
        case 9: "Messages are taken once, and wake"
        case 10: "Pages and counts"
        case 11: "Deleting and purging"
        case 12: "Cancelling leaves nothing half done"
        case 13: "Every valid ID works"
        default: nil
        }
    }
}

extension RunPromise {
    /// Verifies this promise on a store that `fixture` makes, and disconnects it.
    ///
    /// - Returns: whether it was kept, or why it could not be tested. What cannot be tested is no failure.
    /// - Throws: ``BrokenPromise``.
    @discardableResult
    public func verify(
        on fixture: RunStoreFixture, settings: PromiseSettings = PromiseSettings()
    ) async throws(BrokenPromise) -> PromiseVerdict {
        let store: any RunStore
        do {
            store = try await fixture.makeStore()
        } catch {
            throw BrokenPromise(
                number: self.number, name: self.name, expected: "a store to verify",
                found: "making one failed: \(String(reflecting: error))", seed: settings.seed, location: "\(#fileID)")
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

    /// Verifies this promise on `store` with what `fixture` can do to it; with workflows of its own, or some of `prefixes`.
    func verify(
        _ fixture: RunStoreFixture, on store: any RunStore, settings: PromiseSettings,
        prefixes: WorkflowPrefixes? = nil
    ) async throws(BrokenPromise) -> PromiseVerdict {
        switch self.needs {
        case .secondStore where fixture.makeSecondStore == nil:
            return .notTested("no way to open a second store over the same data")
        case .lostAnswer where fixture.loseNextAnswer == nil:
            return .notTested("no way to lose an answer")
        case .lostRequest where fixture.loseNextRequest == nil:
            return .notTested("no way to lose a request")
        default: break
        }
        let prefix = prefixes?.take()
        let trial = RunTrial(of: self, on: store, fixture: fixture, settings: settings, workflowPrefix: prefix)
        let verdict = try await trial.judge {
            try await self.check(trial)
        } cleanUp: {
            await trial.removeEverything()
        }
        // What fails may still happen, what is cancelled too: then runs appear when nobody looks for them any more.
        if let prefix, verdict == .kept, self.number != 6, self.number != 12 { prefixes?.giveBack(prefix) }
        return verdict
    }
}
