import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import Testing

@testable import PerdureDynamoDB

/// What a real service will not do on demand.
@Suite struct ScriptedFaultTests {
    static func answer(_ name: String, _ rest: String = "") -> String {
        #"{"__type":"com.amazonaws.dynamodb.v20120810#\#(name)","message":"words of the service"\#(rest)}"#
    }

    /// A store against a peer, and what it was asked.
    static func with<Result>(
        _ change: (inout DynamoDBConfiguration) -> Void = { _ in }, clock: any PerdureClock = SystemClock(),
        script: @escaping ScriptedPeer.Script, _ body: (DynamoDBStore, ScriptedPeer) async throws -> Result
    ) async throws -> Result {
        let peer = try ScriptedPeer(script)
        defer { peer.stop() }
        var configuration = DynamoDBConfiguration(table: "table", region: "eu-central-1")
        configuration.endpoint = peer.url
        configuration.credentials = .fixed(
            AWSCredentials(accessKeyID: "AKID", secretAccessKey: "sesame", sessionToken: "token"))
        // Whatever else the machine has to do: none of these tests is about time, but by a clock of its own.
        configuration.attemptTimeout = .seconds(100)
        configuration.writeTimeout = .seconds(200)
        configuration.readTimeout = .seconds(200)
        configuration.retries.firstPause = .microseconds(10)
        configuration.retries.firstPauseWhenThrottled = .microseconds(10)
        change(&configuration)
        let store = try DynamoDBStore(
            configuration, environment: AWSEnvironment(variable: { _ in nil }, file: { _ in nil }), clock: clock)
        let result = try await body(store, peer)
        await store.disconnect()
        return result
    }

    static func state(_ version: UInt64) -> DurableState {
        DurableState(persistenceID: "x", version: version, payload: StatePayload(manifest: "m", bytes: [1, 2, 3]))
    }

    static func failure(_ body: () async throws(StoreError) -> Void) async -> StoreError? {
        do throws(StoreError) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    /// The write ID in a request, as base64.
    static func writeID(_ request: ScriptedPeer.Request) -> String {
        let parts = request.text.components(after: #""WriteID":{"B":""#)
        return String(parts.prefix { $0 != "\"" })
    }

    @Test(arguments: [
        "ProvisionedThroughputExceededException", "ThrottlingException", "TransactionConflictException",
        "InternalServerError",
    ])
    func repeatsUntilItWorks(_ name: String) async throws {
        try await Self.with(script: { request in
            request.number < 4
                ? .answer(name == "InternalServerError" ? 500 : 400, Self.answer(name)) : .answer(200, "{}")
        }) { store, peer in
            try await store.write(Self.state(2), if: .version(1))
            #expect(peer.requests.count == 4)
            // The very same write.
            #expect(Set(peer.requests.map(\.body)).count == 1)
        }
    }

    @Test func givesUpWithTheServicesWords() async throws {
        try await Self.with(
            { $0.retries.maximumAttempts = 3 },
            script: { _ in
                .answer(400, Self.answer("ThrottlingException"), headers: [("x-amzn-RequestId", "REQ-7")])
            }
        ) { store, peer in
            let error = await Self.failure { () async throws(StoreError) in
                try await store.write(Self.state(2), if: .version(1))
            }
            #expect(error?.code == .throttled && error?.outcome == .notApplied && peer.requests.count == 3)
            #expect(error?.message.contains("REQ-7") == true && error?.message.contains("words of the service") == true)
            #expect(error?.description == "write failed: throttled (not applied)")
        }
    }

    /// The table of what may be applied: a condition protects a repetition, an unconditional write has nothing that does.
    @Test(arguments: [500, 503]) func admitsWhatItCannotKnow(_ status: Int) async throws {
        try await Self.with({ $0.retries.maximumAttempts = 3 }, script: { _ in .answer(status, "oh") }) { store, peer in
            let conditional = await Self.failure { () async throws(StoreError) in
                try await store.write(Self.state(2), if: .version(1))
            }
            #expect(conditional?.code == .unavailable && conditional?.outcome == .unknown && peer.requests.count == 3)
            let always = await Self.failure { () async throws(StoreError) in
                try await store.write(Self.state(2), if: .always)
            }
            #expect(always?.outcome == .unknown && peer.requests.count == 4)
            let read = await Self.failure { () async throws(StoreError) in _ = try await store.latestState(of: "x") }
            #expect(read?.code == .unavailable && read?.outcome == .notApplied && peer.requests.count == 7)
        }
    }

    /// Cut anywhere, the answer to a conditional write is asked for again; the repetition finds the write already made.
    @Test func resolvesAnAnswerThatIsCutAnywhere() async throws {
        let whole = ScriptedPeer.answer(200, "{}", [])
        for end in 0..<whole.count {
            try await Self.with(script: { request in
                if request.number == 1 { return .bytes(Array(whole[..<end])) }
                let item =
                    #","Item":{"PersistenceID":{"S":"x"},"VersionNumber":{"N":"2"},"WriteID":{"B":"\#(Self.writeID(request))"}}"#
                return .answer(400, Self.answer("ConditionalCheckFailedException", item))
            }) { store, peer in
                let error = await Self.failure { () async throws(StoreError) in
                    try await store.write(Self.state(2), if: .version(1))
                }
                #expect(error == nil && peer.requests.count == 2, "cut at byte \(end): \(error.debugDescription)")
            }
        }
    }

    /// An unconditional write that may have happened is never sent again, by nobody: not by us, and not by libcurl, which would do so unseen
    /// when a connection that it had kept turns out to be dead. What others wrote in between would be wiped out.
    @Test func nobodyRepeatsAnUnconditionalWrite() async throws {
        try await Self.with(script: { $0.number == 2 ? .close : .answer(200, "{}") }) { store, peer in
            try await store.write(Self.state(1), if: .always)
            let error = await Self.failure { () async throws(StoreError) in
                try await store.write(Self.state(2), if: .always)
            }
            #expect(error?.code == .unavailable && error?.outcome == .unknown)
            #expect(peer.requests.count == 2)
        }
    }

    @Test func doesNotTakeAnothersWriteForItsOwn() async throws {
        let other =
            #","Item":{"PersistenceID":{"S":"x"},"VersionNumber":{"N":"9"},"WriteID":{"B":"AAAAAAAAAAAAAAAAAAAAAA=="}}"#
        // At once: a conflict. After a lost answer: nobody knows.
        for loses in [false, true] {
            try await Self.with(script: { request in
                loses && request.number == 1
                    ? .close : .answer(400, Self.answer("ConditionalCheckFailedException", other))
            }) { store, _ in
                let error = await Self.failure { () async throws(StoreError) in
                    try await store.write(Self.state(2), if: .version(1))
                }
                #expect(error?.outcome == (loses ? .unknown : .notApplied))
                #expect(error?.code == (loses ? .unavailable : .conflict) && error?.storedVersion == (loses ? nil : 9))
            }
        }
    }

    @Test func doesNotBelieveAWrongChecksumNorTruncatedJSON() async throws {
        for first: ScriptedPeer.Reply in [
            .answer(200, "{}", headers: [("x-amz-crc32", "1")]), .answer(200, "{\"Item\":{\"PersistenceID\""),
            .answer(200, ""), .answer(200, "[1]"), .answer(200, "\u{0}"),
        ] {
            let item =
                #"{"Item":{"PersistenceID":{"S":"x"},"VersionNumber":{"N":"3"},"StatePayload":{"B":"AQID"},"StateManifest":{"S":"m"}}}"#
            try await Self.with(script: { request in
                if request.number == 1, case .answer(_, "[1]", _) = first { return .answer(200, #"{"Item":[1]}"#) }
                return request.number == 1 ? first : .answer(200, item)
            }) { store, peer in
                let state = try await store.latestState(of: "x")
                // An empty object is what a missing item looks like: only the checksum tells.
                #expect(state == Self.state(3), "\(first)")
                #expect(peer.requests.count == 2, "\(first)")
            }
        }
    }

    @Test func readsSlowAnswers() async throws {
        try await Self.with(script: { _ in
            .slowly(
                200,
                #"{"Item":{"PersistenceID":{"S":"x"},"VersionNumber":{"N":"3"},"StatePayload":{"B":"AQID"},"StateManifest":{"S":"m"}}}"#
            )
        }) { store, _ in
            let state = try await store.latestState(of: "x")
            #expect(state == Self.state(3))
        }
    }

    @Test func doesNotFollowRedirects() async throws {
        try await Self.with(script: { _ in .answer(301, "", headers: [("Location", "http://127.0.0.1:1/")]) }) {
            store, peer in
            let error = await Self.failure { () async throws(StoreError) in try await store.ping() }
            #expect(error?.code == .misconfigured && peer.requests.count == 1)
        }
    }

    @Test func takesTheServicesTimeForTheTime() async throws {
        // The peer lives in 2030, and refuses what is signed at another time.
        let clock = ManualClock(unixMilliseconds: 1_700_000_000_000)
        try await Self.with(
            clock: clock,
            script: { request in
                request.header("x-amz-date") == "20300101T000000Z"
                    ? .answer(200, "{}")
                    : .answer(
                        400,
                        #"{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Signature expired: now earlier"}"#,
                        headers: [("Date", "Tue, 01 Jan 2030 00:00:00 GMT")])
            }
        ) { store, peer in
            for _ in 0..<3 {
                let state = try await store.latestState(of: "x")
                #expect(state == nil)
            }
            #expect(peer.requests.count == 4)
        }
    }

    @Test func fetchesCredentialsAnewWhenTheyAreRefused() async throws {
        struct Rotating: CredentialsSource {
            let count = LockedState(0)
            func fetch() async throws(CredentialsFailure) -> AWSCredentials {
                let number = self.count.withLock { count in
                    count += 1
                    return count
                }
                return AWSCredentials(accessKeyID: "KEY\(number)", secretAccessKey: "s")
            }
        }
        let peer = try ScriptedPeer { request in
            request.header("authorization")?.contains("KEY2/") == true
                ? .answer(200, "{}") : .answer(400, Self.answer("ExpiredTokenException"))
        }
        defer { peer.stop() }
        try await RawClient.with(endpoint: peer.url, credentials: Rotating()) { client in
            for _ in 0..<3 {
                let item = try await client.perform(.getItem(table: "t", key: StateItem.key("x"), isConsistent: true))
                #expect(item == nil)
            }
        }
        #expect(peer.requests.count == 4)
    }

    /// Pauses are as long as the clock says, random, and within their bound; the same seed gives the same.
    @Test func pausesByItsClockWithFullJitter() async throws {
        var runs: [[Duration]] = []
        for _ in 0..<2 {
            let peer = try ScriptedPeer {
                $0.number <= 4 ? .answer(400, Self.answer("ThrottlingException")) : .answer(200, "{}")
            }
            defer { peer.stop() }
            let clock = ManualClock()
            let pauses = try await RawClient.with(endpoint: peer.url, { $0.clock = clock }) { client in
                async let answer = client.perform(.getItem(table: "t", key: StateItem.key("x"), isConsistent: true))
                var pauses: [Duration] = []
                for _ in 0..<4 {
                    try await clock.waitForSleepers()
                    let before = clock.now
                    clock.advanceToNextSleeper()
                    pauses.append(clock.now - before)
                }
                _ = try await answer
                return pauses
            }
            for (pause, bound) in zip(pauses, [100, 200, 400, 800]) { #expect(pause <= .milliseconds(bound)) }
            #expect(Set(pauses).count == 4)
            runs.append(pauses)
        }
        #expect(runs[0] == runs[1])
    }

    @Test func reportsCapacityAndRepetitions() async throws {
        let observer = RecordingObserver()
        try await Self.with(
            { $0.observer = observer },
            script: { request in
                request.number == 1
                    ? .answer(400, Self.answer("ThrottlingException"))
                    : .answer(200, #"{"ConsumedCapacity":{"TableName":"table","CapacityUnits":1.5}}"#)
            }
        ) { store, peer in
            try await store.write(Self.state(2), if: .version(1))
            #expect(peer.requests.allSatisfy { $0.text.contains(#""ReturnConsumedCapacity":"TOTAL""#) })
        }
        let names = observer.events.map(\.name)
        #expect(names == ["store.connected", "store.request.retried", "store.capacity.consumed", "store.disconnected"])
        let units = observer.events.compactMap {
            if case .capacityConsumed(_, _, "table", let units) = $0 { units } else { nil }
        }
        #expect(units == [1.5])
    }

    @Test func sendsAgainWhatABatchLeftUndone() async throws {
        try await Self.with(script: { request in
            // Each answer does the first of what it was asked, and leaves the rest.
            let keys = request.text.components(separatedBy: "PutRequest").count - 1
            guard keys > 1 else { return .answer(200, #"{"UnprocessedItems":{}}"#) }
            let rest = (1..<keys).map { #"{"PutRequest":{"Item":{"PersistenceID":{"S":"\#($0)"}}}}"# }.joined(
                separator: ",")
            return .answer(200, #"{"UnprocessedItems":{"table":[\#(rest)]}}"#)
        }) { store, peer in
            let writes = (0..<5).map { number in
                var state = Self.state(1)
                state.persistenceID = "\(number)"
                return StateWrite(state, if: .always)
            }
            let results = await store.write(writes)
            #expect(results.allSatisfy { if case .success = $0 { true } else { false } })
            #expect(peer.requests.count == 5)
        }
    }

    @Test func saysNothingSecret() async throws {
        let credentials = AWSCredentials(accessKeyID: "AKID", secretAccessKey: "sesame", sessionToken: "token-text")
        var dumped = ""
        dump(credentials, to: &dumped)
        var configuration = DynamoDBConfiguration(table: "table")
        configuration.credentials = .fixed(credentials)
        dump(configuration, to: &dumped)
        for text in [
            dumped, "\(credentials)", String(reflecting: credentials), "\(configuration)",
            String(reflecting: configuration),
        ] {
            #expect(!text.contains("sesame") && !text.contains("token-text"), "\(text)")
        }
        try await Self.with(script: { _ in .answer(400, Self.answer("AccessDeniedException")) }) { store, _ in
            let error = await Self.failure { () async throws(StoreError) in
                try await store.write(Self.state(1), if: .absent)
            }
            #expect(error?.code == .forbidden)
            #expect(error.map { String(reflecting: $0).contains("sesame") } == false)
        }
    }

    @Test func survivesNoiseForAnswers() async throws {
        let seed: UInt64 = 20_260_101
        let random = LockedState(SeededGenerator(seed: seed))
        let item =
            #"{"Item":{"PersistenceID":{"S":"x"},"VersionNumber":{"N":"3"},"StatePayload":{"B":"AQID"},"StateManifest":{"S":"m"},"Chunks":{"M":{"Set":{"S":"a"},"Count":{"N":"1"},"ByteCount":{"N":"3"},"Manifest":{"S":"m"}}}}}"#
        try await Self.with(
            { $0.retries.maximumAttempts = 1 },
            script: { _ in
                random.withLock { random in
                    var bytes = Array(item.utf8)
                    for _ in 0..<Int.random(in: 1...5, using: &random) {
                        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                            in: 0x20...0x7e, using: &random)
                    }
                    return .answer(
                        [200, 200, 400, 500].randomElement(using: &random) ?? 200,
                        String(decoding: bytes, as: UTF8.self))
                }
            }
        ) { store, _ in
            for _ in 0..<300 {
                _ = await Self.failure { () async throws(StoreError) in _ = try await store.latestState(of: "x") }
            }
            for _ in 0..<100 {
                _ = await Self.failure { () async throws(StoreError) in try await store.delete("x", if: .always) }
            }
        }
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let start = rest.firstIndex(where: { _ in true }), let range = Self.find(separator, in: rest[start...]) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }

    fileprivate func components(after separator: String) -> Substring {
        Self.find(separator, in: self[...]).map { self[$0.upperBound...] } ?? ""
    }

    private static func find(_ pattern: String, in text: Substring) -> Range<String.Index>? {
        var start = text.startIndex
        while start < text.endIndex {
            if text[start...].utf8.starts(with: pattern.utf8) {
                return start..<text.index(start, offsetBy: pattern.count)
            }
            start = text.index(after: start)
        }
        return nil
    }
}
