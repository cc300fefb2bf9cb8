internal import PerdureConcurrency

extension StatePromise {
    /// Promise 7: what is too large is refused before it is sent, and no reader sees half a state.
    static let limits: [StatePromise] = [
        StatePromise(7, "refuses a payload of one byte too many, with the limit in the error") { trial in
            let (id, bytes) = (trial.id(), try tooLarge(trial))
            let error = try await trial.expectFailure(.payloadTooLarge, of: "writing \(bytes.count) bytes") {
                () async throws(StoreError) in
                try await trial.store.write(
                    DurableState(
                        persistenceID: id, version: 1, payload: StatePayload(manifest: "check.v1", bytes: bytes)),
                    if: .absent)
            }
            try trial.expect(error.outcome == .notApplied, "outcome not applied", found: error)
            let limit = "\(trial.store.maximumPayloadByteCount)"
            try trial.expect(error.message.contains(limit), "the limit \(limit) in the message", found: error.message)
            try await trial.expectAbsent(id)
        },
        StatePromise(7, "leaves the stored state alone when a payload is too large") { trial in
            let (state, bytes) = (trial.state(trial.id(), 1), try tooLarge(trial))
            try await trial.write(state, if: .absent)
            for condition in [WriteCondition.version(1), .always] {
                _ = try await trial.expectFailure(.payloadTooLarge, of: "writing \(bytes.count) bytes") {
                    () async throws(StoreError) in
                    try await trial.store.write(
                        DurableState(
                            persistenceID: state.persistenceID, version: 2,
                            payload: StatePayload(manifest: "check.v1", bytes: bytes)), if: condition)
                }
            }
            try await trial.expectStored(state)
        },
        StatePromise(7, "refuses a manifest of 256 bytes and one with NUL") { trial in
            let id = trial.id()
            // 255 characters, 256 bytes: the limit is in bytes.
            for manifest in [String(repeating: "m", count: 256), String(repeating: "m", count: 254) + "é", "a\0b"] {
                let error = try await trial.expectFailure(.invalidRequest, of: "writing a manifest that is not allowed")
                {
                    () async throws(StoreError) in
                    try await trial.store.write(trial.state(id, 1, manifest: manifest), if: .absent)
                }
                try trial.expect(error.outcome == .notApplied, "outcome not applied", found: error)
            }
            try await trial.expectAbsent(id)
        },
        StatePromise(7, "goes from small payloads to large ones and back") { trial in
            let id = trial.id()
            let largest = min(256 << 10, trial.store.maximumPayloadByteCount, trial.settings.largestPayload)
            var generator = trial.generator()
            var version: UInt64 = 0
            for count in [1, largest, 0, largest / 2, largest / 3, 5, largest] {
                var state = trial.state(id, version + 1)
                state.payload.bytes = generator.bytes(count)
                try await trial.write(state, if: version == 0 ? .absent : .version(version))
                try await trial.expectStored(state)
                version += 1
            }
        },
        StatePromise(7, "shows readers whole states only, while others write") { trial in
            let ids = (0..<2).map { trial.id("\($0)") }
            for id in ids { try await trial.write(whole(trial, id, 1), if: .absent) }
            let (writers, writes) = (trial.settings.writers, UInt64(10 * trial.settings.rounds))
            let stop = LockedState(false)
            _ = try await trial.concurrently(2 + writers) { number in
                if number < 2 {
                    for version in 2...writes {
                        do throws(BrokenPromise) {
                            try await trial.write(whole(trial, ids[number], version), if: .version(version - 1))
                        } catch {
                            stop.withLock { $0 = true }
                            throw error
                        }
                    }
                    stop.withLock { $0 = true }
                    return
                }
                // Bounded, should a writer get stuck.
                for turn in 0..<100_000 {
                    // A store that never suspends would leave no thread to the writers.
                    await Task.yield()
                    if stop.withLock({ $0 }) { return }
                    try await expectWhole(trial, ids[turn % 2])
                }
            }
            for id in ids { try await trial.expectStored(whole(trial, id, writes)) }
        },
    ]

    private static func tooLarge(_ trial: Trial) throws -> [UInt8] {
        try trial.expectLimitToFitMemory()
        return Array(repeating: 0x61, count: trial.store.maximumPayloadByteCount + 1)
    }

    /// A state whose every field tells its version: one that is mixed of two versions is recognised.
    private static func whole(_ trial: Trial, _ id: String, _ version: UInt64) -> DurableState {
        let length = min(Int(version * 7_919 % 20_000), trial.store.maximumPayloadByteCount)
        return DurableState(
            persistenceID: id, version: version,
            payload: StatePayload(
                manifest: "version.\(version)",
                bytes: Array(repeating: UInt8(truncatingIfNeeded: version), count: length)),
            timestamp: 1_700_000_000_000 + Int64(version), shard: version)
    }

    private static func expectWhole(_ trial: Trial, _ id: String) async throws {
        guard let found = try await trial.read(id) else {
            throw trial.broken(expected: "a state", found: "none, while it is written")
        }
        let expected = whole(trial, id, found.version)
        try trial.expect(
            found == expected, "version \(found.version) in one piece", found: describe(found, besides: expected))
    }
}
