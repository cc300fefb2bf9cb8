internal import PerdureConcurrency

/// One verification of one promise: the store, IDs that nobody else has, and the words for saying what is wrong.
struct Trial: Sendable {
    let promise: StatePromise
    let store: any StateStore
    let settings: PromiseSettings
    /// What every ID of this trial begins with; 22 bytes that no other trial has.
    let prefix: String
    private let ids = LockedState<Set<IDKey>>([])

    init(of promise: StatePromise, on store: any StateStore, settings: PromiseSettings) {
        self.promise = promise
        self.store = store
        self.settings = settings
        // Not of the seed: two runs on one shared store must not meet, even with the same seed.
        let token = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        self.prefix = "check-" + String(repeating: "0", count: 16 - token.count) + token
    }

    // MARK: Material

    /// An ID of this trial that ends with `suffix`; deleted when the trial is over.
    func id(_ suffix: String = "") -> String {
        let id = self.prefix + suffix
        _ = self.ids.withLock { $0.insert(IDKey(id)) }
        return id
    }

    /// A state with a payload that tells it from others.
    func state(
        _ id: String, _ version: UInt64, _ text: String = "payload", manifest: String = "check.v1"
    ) -> DurableState {
        DurableState(
            persistenceID: id, version: version,
            payload: StatePayload(manifest: manifest, bytes: Array("\(text) of version \(version)".utf8)),
            timestamp: 1_700_000_000_000 + Int64(truncatingIfNeeded: version % 1_000), shard: version % 16)
    }

    /// The random numbers of one task of this promise.
    func generator(stream: Int = 0) -> SeededGenerator {
        SeededGenerator(
            seed: self.settings.seed ^ PersistenceID.shard(of: self.promise.name, among: UInt64.max),
            stream: UInt64(stream))
    }

    // MARK: Saying what is wrong

    func broken(
        expected: String, found: String, fileID: StaticString = #fileID, line: UInt = #line
    ) -> BrokenPromise {
        self.promise.broken(expected, found, self.settings, fileID: fileID, line: line)
    }

    func expect(
        _ condition: Bool, _ expected: @autoclosure () -> String, found: @autoclosure () -> String,
        fileID: StaticString = #fileID, line: UInt = #line
    ) throws(BrokenPromise) {
        if !condition { throw self.broken(expected: expected(), found: found(), fileID: fileID, line: line) }
    }

    func untested(_ reason: String) -> UntestedPromise { UntestedPromise(reason: reason) }

    /// Gives up where the store takes more than a test should allocate; nothing is sent, so this is more than what is written.
    func expectLimitToFitMemory() throws(UntestedPromise) {
        let limit = self.store.maximumPayloadByteCount
        if limit > 256 << 20 {
            throw self.untested("the store takes \(limit) bytes, which are more than this run allocates")
        }
    }

    // MARK: Asking the store

    /// Writes, which must succeed.
    func write(
        _ state: DurableState, if condition: WriteCondition, fileID: StaticString = #fileID, line: UInt = #line
    ) async throws(BrokenPromise) {
        do throws(StoreError) {
            try await self.store.write(state, if: condition)
        } catch {
            throw self.broken(
                expected: "writing \(describe(state)) if \(describe(condition)) to succeed", found: describe(error),
                fileID: fileID, line: line)
        }
    }

    /// Deletes, which must succeed.
    func delete(
        _ id: String, if condition: WriteCondition, fileID: StaticString = #fileID, line: UInt = #line
    ) async throws(BrokenPromise) {
        do throws(StoreError) {
            try await self.store.delete(id, if: condition)
        } catch {
            throw self.broken(
                expected: "deleting if \(describe(condition)) to succeed", found: describe(error),
                fileID: fileID, line: line)
        }
    }

    /// Reads, which must succeed.
    func read(
        _ id: String, fileID: StaticString = #fileID, line: UInt = #line
    ) async throws(BrokenPromise) -> DurableState? {
        do throws(StoreError) {
            return try await self.store.latestState(of: id)
        } catch {
            throw self.broken(
                expected: "reading to succeed", found: describe(error), fileID: fileID, line: line)
        }
    }

    /// Reads, and compares all fields with `state`.
    func expectStored(
        _ state: DurableState, fileID: StaticString = #fileID, line: UInt = #line
    ) async throws(BrokenPromise) {
        let found = try await self.read(state.persistenceID, fileID: fileID, line: line)
        try self.expect(
            found == state, describe(state), found: describe(found, besides: state), fileID: fileID, line: line)
    }

    /// Reads, and finds nothing.
    func expectAbsent(
        _ id: String, fileID: StaticString = #fileID, line: UInt = #line
    ) async throws(BrokenPromise) {
        let found = try await self.read(id, fileID: fileID, line: line)
        try self.expect(found == nil, "no state", found: describe(found), fileID: fileID, line: line)
    }

    /// Makes an attempt and returns the error, nil for success.
    func answer(to attempt: () async throws(StoreError) -> Void) async -> StoreError? {
        do throws(StoreError) {
            try await attempt()
            return nil
        } catch {
            return error
        }
    }

    /// Makes an attempt that must fail, and returns the error.
    func expectFailure<Value>(
        of attempt: String, fileID: StaticString = #fileID, line: UInt = #line,
        _ body: () async throws(StoreError) -> Value
    ) async throws(BrokenPromise) -> StoreError {
        do throws(StoreError) {
            _ = try await body()
        } catch {
            return error
        }
        throw self.broken(expected: "\(attempt) to fail", found: "it succeeded", fileID: fileID, line: line)
    }

    /// Makes an attempt that must fail with `code`, and returns the error.
    func expectFailure<Value>(
        _ code: StoreError.Code, of attempt: String, fileID: StaticString = #fileID, line: UInt = #line,
        _ body: () async throws(StoreError) -> Value
    ) async throws(BrokenPromise) -> StoreError {
        let error = try await self.expectFailure(of: attempt, fileID: fileID, line: line, body)
        try self.expect(
            error.code == code, "\(attempt) to fail with \(code)", found: describe(error), fileID: fileID, line: line)
        return error
    }

    /// Makes an attempt that must be a conflict with the version `stored`.
    func expectConflict(
        with stored: UInt64, of attempt: String, fileID: StaticString = #fileID, line: UInt = #line,
        _ body: () async throws(StoreError) -> Void
    ) async throws(BrokenPromise) {
        let error = try await self.expectFailure(.conflict, of: attempt, fileID: fileID, line: line, body)
        try self.expect(
            error.storedVersion == stored, "\(attempt) to be a conflict with version \(stored)",
            found: describe(error), fileID: fileID, line: line)
    }

    // MARK: Many at once

    /// Runs `body` in `count` tasks at once and returns the results in the order of their numbers.
    func concurrently<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (_ number: Int) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: (Int, Value).self) { group in
            for number in 0..<count { group.addTask { (number, try await body(number)) } }
            var values: [Value?] = Array(repeating: nil, count: count)
            for try await (number, value) in group { values[number] = value }
            return values.compactMap { $0 }
        }
    }

    // MARK: Afterwards

    /// Deletes what the trial wrote. Tombstones stay, as they do behind any deletion.
    func deleteEverything() async {
        try? await self.store.connect()
        for key in self.ids.withLock({ $0.sorted() }) where PersistenceID.violation(in: key.id) == nil {
            try? await self.store.delete(key.id, if: .always)
        }
    }
}

// MARK: Words

func describe(_ state: DurableState) -> String {
    "version \(state.version) with \(state.payload.bytes.count) bytes"
}

func describe(_ state: DurableState?) -> String {
    state.map { describe($0) } ?? "no state"
}

/// Describes what was found so that the difference to what was expected is seen.
func describe(_ found: DurableState?, besides expected: DurableState) -> String {
    guard let found else { return "no state" }
    var differences: [String] = []
    func compare<Value: Equatable>(_ name: String, _ path: KeyPath<DurableState, Value>) {
        let (is_, should) = (found[keyPath: path], expected[keyPath: path])
        if is_ != should { differences.append("\(name) \(is_) instead of \(should)") }
    }
    if !found.persistenceID.utf8.elementsEqual(expected.persistenceID.utf8) {
        differences.append("ID \(found.persistenceID.debugDescription)")
    }
    compare("version", \.version)
    compare("timestamp", \.timestamp)
    compare("shard", \.shard)
    if !found.payload.manifest.utf8.elementsEqual(expected.payload.manifest.utf8) {
        differences.append("a manifest of other bytes")
    }
    if found.payload.bytes.count != expected.payload.bytes.count {
        differences.append("\(found.payload.bytes.count) bytes instead of \(expected.payload.bytes.count)")
    } else if found.payload.bytes != expected.payload.bytes {
        let place = zip(found.payload.bytes, expected.payload.bytes).enumerated().first { $0.element.0 != $0.element.1 }
        differences.append("another byte at \(place?.offset ?? 0)")
    }
    return differences.isEmpty ? "the same" : differences.joined(separator: ", ")
}

func describe(_ condition: WriteCondition) -> String {
    switch condition {
    case .always: "always"
    case .absent: "absent"
    case .version(let version): "version \(version) is stored"
    }
}

func describe(_ error: StoreError) -> String {
    "\(error.code), \(error.outcome == .unknown ? "outcome unknown" : "not applied")"
        + (error.storedVersion.map { ", stored version \($0)" } ?? "") + ": \(error.message)"
}
