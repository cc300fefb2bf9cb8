internal import PerdureConcurrency

/// One verification of one promise: the store, IDs that nobody else has, and the words for saying what is wrong.
struct Trial: PromiseTrial {
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
        self.prefix = Self.freshPrefix()
    }

    var number: Int { self.promise.number }
    var name: String { self.promise.name }

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
                expected: "writing \(describe(state)) if \(describe(condition)) to succeed", found: error,
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
                expected: "deleting if \(describe(condition)) to succeed", found: error,
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
                expected: "reading to succeed", found: error, fileID: fileID, line: line)
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
