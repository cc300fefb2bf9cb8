import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import Testing

@testable import PerdureDynamoDB

/// Answers of the service that were damaged on their way, in every way that one place can be: cut at each byte, each bit turned over.
@Suite struct AnswerNoiseTests {
    /// An answer, and what reads it; true when it could.
    struct Sample: Sendable, CustomTestStringConvertible {
        let name: String
        let answer: [UInt8]
        let read: @Sendable ([UInt8]) throws -> Void

        init<Answer>(_ operation: PerdureDynamoDB.Operation<Answer>, _ answer: String) {
            self.name = "\(operation.name)"
            self.answer = bytes(answer)
            self.read = { text in _ = try parse(text) { json throws(AnswerFlaw) in try operation.decode(json) } }
        }

        var testDescription: String { self.name }
    }

    private static let item =
        #"{"PersistenceID":{"S":"x\u00e9"},"VersionNumber":{"N":"3"},"StatePayload":{"B":"AQID"},"L":{"L":[{"BOOL":true},{"NULL":true}]},"#
        + #""M":{"M":{"a":{"NS":["1"]},"b":{"BS":["AQ=="]},"c":{"SS":["s"]}}}}"#
    private static let table =
        #"{"TableStatus":"ACTIVE","TableArn":"arn","KeySchema":[{"AttributeName":"PK","KeyType":"HASH"}],"#
        + #""AttributeDefinitions":[{"AttributeName":"PK","AttributeType":"S"}],"DeletionProtectionEnabled":true,"#
        + #""GlobalSecondaryIndexes":[{"IndexName":"I","IndexStatus":"ACTIVE"}],"Replicas":[{"RegionName":"r","ReplicaStatus":"ACTIVE"}]}"#

    static let samples: [Sample] = {
        typealias Request = PerdureDynamoDB.Operation
        let (key, none) = (StateItem.key("x"), Expression())
        return [
            Sample(Request.getItem(table: "t", key: key, isConsistent: true), #"{"Item":\#(Self.item)}"#),
            Sample(
                Request.updateItem(table: "t", key: key, none, isRepeatable: false), #"{"Attributes":\#(Self.item)}"#),
            Sample(
                Request.query(table: "t", none),
                #"{"Items":[\#(Self.item),{}],"Count":2,"ScannedCount":30,"LastEvaluatedKey":{"PK":{"S":"k"}}}"#),
            Sample(
                Request.batchGetItem(table: "t", keys: [key], isConsistent: true),
                #"{"Responses":{"t":[\#(Self.item)]},"UnprocessedKeys":{"t":{"Keys":[{"PK":{"S":"k"}}]}}}"#),
            Sample(
                Request.batchWriteItem(table: "t", writes: [], isRepeatable: true),
                #"{"UnprocessedItems":{"t":[{"PutRequest":{"Item":{"a":{"N":"1"}}}},{"DeleteRequest":{"Key":{"PK":{"S":"k"}}}}]}}"#
            ),
            Sample(
                Request.transactGetItems([("t", key)]), #"{"Responses":[{"Item":{"a":{"S":""}}},{},{"Item":null}]}"#),
            Sample(Request.describeTable("t"), #"{"Table":\#(Self.table)}"#),
            Sample(
                Request.describeTimeToLive("t"),
                #"{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"ttl"}}"#),
            Sample(
                Request.describeContinuousBackups("t"),
                #"{"ContinuousBackupsDescription":{"PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"ENABLED"}}}"#
            ),
            Sample(Request.createBackup("t", name: "b"), #"{"BackupDetails":{"BackupArn":"arn"}}"#),
        ]
    }()

    /// Cut anywhere it is refused; with a bit turned over it is read or refused. Nothing traps, and nothing but a flaw is thrown.
    @Test(arguments: Self.samples) func isReadOrRefused(_ sample: Sample) throws {
        try sample.read(sample.answer)
        for end in 0..<sample.answer.count {
            #expect(throws: AnswerFlaw.self, "cut at \(end)") { try sample.read(Array(sample.answer[..<end])) }
        }
        var readable = 0
        for place in sample.answer.indices {
            for bit in 0..<8 {
                var noise = sample.answer
                noise[place] ^= 1 << UInt8(bit)
                do {
                    try sample.read(noise)
                    readable += 1
                } catch is AnswerFlaw {}
            }
        }
        #expect((1..<sample.answer.count * 8).contains(readable))
    }

    /// Numbers that no integer can hold, where numbers stand.
    @Test(arguments: ["1e300", "-1e300", "1.5", "99999999999999999999", "-1", "null", "\"7\"", "[]"])
    func survivesAnyNumber(_ number: String) throws {
        let query = PerdureDynamoDB.Operation.query(table: "t", Expression())
        let page = try parse(bytes(#"{"Items":[{}],"Count":\#(number),"ScannedCount":\#(number)}"#)) {
            json throws(AnswerFlaw) in try query.decode(json)
        }
        #expect(page.items.count == 1)
    }

    // MARK: Through the store

    private static func answer(_ status: Int, _ body: [UInt8], sum: UInt32?) -> ScriptedPeer.Reply {
        var head = "HTTP/1.1 \(status) Something\r\nContent-Length: \(body.count)\r\n"
        if let sum { head += "x-amz-crc32: \(sum)\r\n" }
        return .wholeBytes(bytes(head + "\r\n") + body)
    }

    /// What the store makes of each damaged answer, to a read and to a conditional write.
    private static func outcomes(
        _ status: Int, _ bodies: [[UInt8]], sum: UInt32?,
        _ check: (_ number: Int, _ read: Result<DurableState?, StoreError>, _ write: StoreError?) -> Void
    ) async throws {
        let current = LockedState([UInt8]())
        try await ScriptedFaultTests.with(
            { $0.retries.maximumAttempts = 1 },
            script: { _ in Self.answer(status, current.withLock { $0 }, sum: sum) }
        ) { store, _ in
            for (number, body) in bodies.enumerated() {
                current.withLock { $0 = body }
                let read: Result<DurableState?, StoreError>
                do throws(StoreError) { read = .success(try await store.latestState(of: "x")) } catch {
                    read = .failure(error)
                }
                let write = await ScriptedFaultTests.failure { () async throws(StoreError) in
                    try await store.write(ScriptedFaultTests.state(2), if: .version(1))
                }
                check(number, read, write)
            }
        }
    }

    private static func cuts(_ body: [UInt8]) -> [[UInt8]] { body.indices.map { Array(body[..<$0]) } }

    private static func turned(_ body: [UInt8]) -> [[UInt8]] {
        body.indices.flatMap { place in
            (0..<8).map { bit in
                var noise = body
                noise[place] ^= 1 << UInt8(bit)
                return noise
            }
        }
    }

    private static let state = bytes(
        #"{"Item":{"PersistenceID":{"S":"x"},"VersionNumber":{"N":"3"},"StatePayload":{"B":"AQID"},"StateManifest":{"S":"m"}}}"#
    )

    /// The checksum finds all of it. Whether a write has happened, nobody knows then; a read has changed nothing.
    @Test func nothingDamagedIsBelievedWhereThereIsAChecksum() async throws {
        let sum = Self.state.withUnsafeBytes { CRC32.checksum($0) }
        try await Self.outcomes(200, Self.cuts(Self.state) + Self.turned(Self.state), sum: sum) { number, read, write in
            guard case .failure(let error) = read else {
                Issue.record("a damaged state was read, number \(number)")
                return
            }
            #expect(error.code == .unavailable && error.outcome == .notApplied, "\(number)")
            #expect(write?.code == .unavailable && write?.outcome == .unknown, "\(number)")
        }
    }

    /// Without one, a cut is found by its grammar; a bit is only seen where it breaks something.
    @Test func whatCannotBeReadHasTheRightOutcome() async throws {
        let cuts = Self.cuts(Self.state)
        try await Self.outcomes(200, cuts + Self.turned(Self.state), sum: nil) { number, read, write in
            switch read {
            case .success: #expect(number >= cuts.count)
            case .failure(let error):
                #expect(error.code == .unavailable || error.code == .corrupted, "\(number): \(error.message)")
                #expect(error.outcome == .notApplied && error.persistenceID == "x")
            }
            if number < cuts.count { #expect(write?.outcome == .unknown, "\(number)") }
            #expect(write == nil || write?.code == .unavailable && write?.outcome == .unknown, "\(number)")
        }
    }

    /// A refusal stays one, however much of its words is left: a 4xx has changed nothing. Of a 5xx nobody knows.
    @Test(arguments: [400, 500]) func aRefusalIsOneWhateverItsWords(_ status: Int) async throws {
        let fault = bytes(
            ScriptedFaultTests.answer(
                "ConditionalCheckFailedException",
                #","Item":{"VersionNumber":{"N":"9"},"WriteID":{"B":"AAAAAAAAAAAAAAAAAAAAAA=="}}"#))
        try await Self.outcomes(status, Self.cuts(fault) + Self.turned(fault), sum: nil) { number, read, write in
            guard case .failure(let error) = read, let write else {
                Issue.record("a refusal was taken for an answer, number \(number)")
                return
            }
            #expect(error.outcome == .notApplied)
            #expect(write.outcome == (status == 400 ? .notApplied : .unknown), "\(number): \(write.message)")
        }
    }
}
