extension StatePromise {
    /// Promise 1: what was written is what is read, all of it.
    static let reading: [StatePromise] =
        [
            StatePromise(1, "knows nothing of an ID that was never written") { trial in
                try await trial.expectAbsent(trial.id())
            }
        ] + payloads + integers + texts + lives

    private static let payloads: [StatePromise] =
        payload("no bytes") { _ in [] }
        + payload("a single zero byte") { _ in [0] }
        + payload("all 256 values of a byte") { _ in Array(0...255) }
        + payload("bytes that are no UTF-8") { _ in [0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0xf8] }
        + payload("quotes, backslashes, percent signs and NULs") { _ in Array(#"'"\x00\0%s?$1:a;--'\#0\#0"#.utf8) }
        + payload("64 KiB") { trial in
            try large(64 << 10, trial)
        }
        + payload("1 MiB of the same byte") { trial in
            _ = try large(1 << 20, trial)
            return Array(repeating: 0x20, count: 1 << 20)
        }
        + payload("as many bytes as the store takes") { trial in
            try large(trial.store.maximumPayloadByteCount, trial)
        }

    private static func payload(
        _ what: String, _ bytes: @escaping @Sendable (Trial) throws -> [UInt8]
    ) -> [StatePromise] {
        [
            StatePromise(1, "keeps a payload of \(what)") { trial in
                var state = trial.state(trial.id(), 1)
                state.payload.bytes = try bytes(trial)
                try await trial.write(state, if: .absent)
                try await trial.expectStored(state)
            }
        ]
    }

    /// Random bytes that do not compress, unless this store or this run does not take so many.
    private static func large(_ count: Int, _ trial: Trial) throws -> [UInt8] {
        if count > trial.store.maximumPayloadByteCount {
            throw trial.untested("the store takes only \(trial.store.maximumPayloadByteCount) bytes")
        }
        if count > trial.settings.largestPayload {
            throw trial.untested("\(count) bytes are more than this run tries, \(trial.settings.largestPayload)")
        }
        var generator = trial.generator()
        return generator.bytes(count)
    }

    private static let integers: [StatePromise] =
        [
            ("1", 1), ("2^32", 1 << 32), ("2^53+1", (1 << 53) + 1), ("2^63-1", UInt64(Int64.max)),
        ].map { (name: String, version: UInt64) in
            StatePromise(1, "keeps version \(name)") { trial in
                let state = trial.state(trial.id(), version)
                try await trial.write(state, if: .absent)
                try await trial.expectStored(state)
                // So that cleaning up does not have to count beyond it.
                try await trial.write(trial.state(trial.id(), 1), if: .always)
            }
        } + [
            StatePromise(1, "keeps the shard") { trial in
                let shards: [UInt64] = [0, 1, (1 << 53) + 1, UInt64(Int64.max)]
                for (number, shard) in shards.enumerated() {
                    var state = trial.state(trial.id("\(number)"), 1)
                    state.shard = shard
                    try await trial.write(state, if: .absent)
                    try await trial.expectStored(state)
                }
            },
            StatePromise(1, "keeps the timestamp, in milliseconds") { trial in
                // 2001, 2023, 2100: what a store tells from seconds and nanoseconds by magnitude.
                let timestamps: [Int64] = [978_307_200_001, 1_700_000_000_123, 4_102_444_800_999]
                for (number, timestamp) in timestamps.enumerated() {
                    var state = trial.state(trial.id("\(number)"), 1)
                    state.timestamp = timestamp
                    try await trial.write(state, if: .absent)
                    try await trial.expectStored(state)
                }
            },
        ]

    private static let texts: [StatePromise] = [
        ("of no bytes", ""),
        ("of 255 bytes", String(repeating: "m", count: 255)),
        ("with quotes, emoji and slashes", #"type.example.com/"a".'b'\ 🦆 ☃️"#),
        ("byte by byte, however accents are composed", "cafe\u{301} caf\u{e9}"),
        ("with spaces at its ends", "  manifest  "),
    ].map { (name: String, manifest: String) in
        StatePromise(1, "keeps a manifest \(name)") { trial in
            let state = trial.state(trial.id(), 1, manifest: manifest)
            try await trial.write(state, if: .absent)
            try await trial.expectStored(state)
        }
    }

    private static let lives: [StatePromise] = [
        StatePromise(1, "replaces every field") { trial in
            let id = trial.id()
            let long = DurableState(
                persistenceID: id, version: 1,
                payload: StatePayload(manifest: "first", bytes: Array(repeating: 7, count: 300)),
                timestamp: 1_700_000_000_000, shard: 9)
            let short = DurableState(
                persistenceID: id, version: 2, payload: StatePayload(manifest: "2", bytes: [1]),
                timestamp: 1_600_000_000_000, shard: 3)
            try await trial.write(long, if: .absent)
            try await trial.write(short, if: .version(1))
            try await trial.expectStored(short)
        },
        StatePromise(1, "keeps the states of different IDs apart") { trial in
            let states = ["a", "b", "ab", "a "].enumerated().map { trial.state(trial.id($1), UInt64($0 + 1), $1) }
            for state in states { try await trial.write(state, if: .absent) }
            for state in states { try await trial.expectStored(state) }
        },
        StatePromise(1, "changes nothing by reading") { trial in
            let state = trial.state(trial.id(), 5)
            try await trial.write(state, if: .absent)
            for _ in 0..<5 { try await trial.expectStored(state) }
        },
        StatePromise(1, "keeps a hundred random states") { trial in
            var generator = trial.generator()
            for number in 0..<100 {
                let length = Int.random(in: 0...min(2_000, trial.store.maximumPayloadByteCount), using: &generator)
                let state = DurableState(
                    persistenceID: trial.id("\(number % 30)"),
                    version: .random(in: 1...UInt64(Int64.max) - 1, using: &generator),
                    payload: StatePayload(
                        manifest: String(generator.next(), radix: 36), bytes: generator.bytes(length)),
                    timestamp: .random(in: 1_000_000_000_000...3_000_000_000_000, using: &generator),
                    shard: .random(in: 0...1_000, using: &generator))
                try await trial.write(state, if: .always)
                try await trial.expectStored(state)
            }
        },
        StatePromise(
            1, "keeps states over disconnecting and connecting again",
            .ownStore { trial in
                let state = trial.state(trial.id(), 3)
                try await trial.write(state, if: .absent)
                await trial.store.disconnect()
                try await trial.store.connect()
                try await trial.expectStored(state)
            }),
    ]
}
