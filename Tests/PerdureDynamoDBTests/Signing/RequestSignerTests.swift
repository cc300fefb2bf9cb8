import PerdureCrypto
import Testing

@testable import PerdureDynamoDB

/// What AWS publishes about signatures, and what botocore signs.
@Suite struct RequestSignerTests {
    private static let example = SigningIdentity(
        AWSCredentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))

    struct Published: Sendable, CustomStringConvertible {
        var description: String
        var method = "GET"
        var query = ""
        var headers: [(name: String, value: String)] = [
            ("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z"),
        ]
        var body = ""
        var signature: String
    }

    static let published = [
        Published(
            description: "get-vanilla", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Published(
            description: "post-vanilla", method: "POST",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        Published(
            description: "get-vanilla-query-order-key-case", query: "Param1=value1&Param2=value2",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        Published(
            description: "get-header-key-duplicate",
            headers: [
                ("host", "example.amazonaws.com"), ("my-header1", "value2,value2,value1"),
                ("x-amz-date", "20150830T123600Z"),
            ], signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
        Published(
            description: "get-header-value-multiline",
            headers: [
                ("host", "example.amazonaws.com"), ("my-header1", "value1,value2,value3"),
                ("x-amz-date", "20150830T123600Z"),
            ], signature: "ba17b383a53190154eb5fa66a1b836cc297cc0a3d70a5d00705980573d8ff790"),
        Published(
            description: "post-x-www-form-urlencoded", method: "POST",
            headers: [
                ("content-type", "application/x-www-form-urlencoded"), ("host", "example.amazonaws.com"),
                ("x-amz-date", "20150830T123600Z"),
            ], body: "Param1=value1", signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ]

    @Test(arguments: published) func signsAsPublished(_ vector: Published) {
        let signer = RequestSigner(.init(region: "us-east-1", service: "service"))
        let header = ByteBuffer()
        let body = ByteBuffer()
        body.append(vector.body)
        let time = signer.time(unixMilliseconds: 1_440_938_160_000)
        signer.sign(
            into: header, identity: Self.example, time: time, method: vector.method, path: "/", query: vector.query,
            headers: vector.headers, body: body.bytes)
        let names = vector.headers.map(\.name).joined(separator: ";")
        #expect(
            String(decoding: header.bytes, as: UTF8.self)
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + "SignedHeaders=\(names), Signature=\(vector.signature)")
    }

    @Test(arguments: signingVectors.indices) func signsAsBotocoreDoes(_ number: Int) throws {
        let vector = signingVectors[number]
        let identity = SigningIdentity(
            AWSCredentials(accessKeyID: vector.key, secretAccessKey: vector.secret, sessionToken: vector.token))
        let signer = RequestSigner(.init(region: vector.region, service: "dynamodb"))
        let body = ByteBuffer()
        body.append(vector.body)
        let operation: StaticString =
            switch vector.target.split(separator: ".").last {
            case "PutItem": "PutItem"
            case "GetItem": "GetItem"
            default: "TransactWriteItems"
            }
        // Twice: with a new key of the day, and with the kept one; and another day's in between.
        for milliseconds in [vector.unixMilliseconds, 0, vector.unixMilliseconds] {
            let headers = HeaderLines()
            ServiceHeaders(
                host: vector.host, operation: operation, body: body, identity: identity,
                time: signer.time(unixMilliseconds: milliseconds)
            ).write(to: headers, signer)
            if milliseconds == vector.unixMilliseconds {
                #expect(headers.lines.last == "Authorization: \(vector.authorization)")
                #expect(headers.lines.contains("X-Amz-Target: \(vector.target)"))
                #expect(headers.lines.contains { $0.hasPrefix("X-Amz-Security-Token:") } == (vector.token != nil))
            }
        }
    }

    @Test func derivesTheKeyOfTheDay() {
        // From AWS's guide to deriving a key; the letters are the key's, through one more HMAC than the published one.
        var key = HMACKey(Array("AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".utf8))
        var code: [UInt8] = []
        for part in ["20150830", "us-east-1", "iam", "aws4_request"] {
            code = key.authenticate(Array(part.utf8))
            key = HMACKey(code)
        }
        #expect(hex(code) == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9")
    }

    @Test func hashesAsPublished() {
        #expect(hex(SHA256.hash([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            hex(SHA256.hash(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        // RFC 4231, case 2, and case 6 with its key that is longer than a block.
        #expect(
            hex(HMACKey(Array("Jefe".utf8)).authenticate(Array("what do ya want for nothing?".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            hex(
                HMACKey(Array(repeating: 0xaa, count: 131)).authenticate(
                    Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    private func hex(_ bytes: [UInt8]) -> String {
        let buffer = ByteBuffer()
        bytes.withUnsafeBytes { buffer.append(hex: $0) }
        return String(decoding: buffer.bytes, as: UTF8.self)
    }
}

@Suite struct SigningTimeTests {
    @Test(
        arguments: [
            (0, "19700101T000000Z"), (951_782_399, "20000228T235959Z"), (951_782_400, "20000229T000000Z"),
            (1_440_938_160, "20150830T123600Z"), (4_107_542_400, "21000301T000000Z"),
            (253_402_300_799, "99991231T235959Z"),
        ] as [(Int64, String)])
    func writesTheTime(_ second: Int64, _ text: String) {
        #expect(SigningTime(second: second).withBytes { String(decoding: $0, as: UTF8.self) } == text)
    }

    @Test func datesAndDaysAreInverse() {
        for day in stride(from: Int64(-800_000), through: 3_000_000, by: 37) {
            let date = SigningTime.date(ofDay: day)
            #expect(SigningTime.day(year: date.year, month: date.month, day: date.day) == day)
        }
    }

    @Test func readsHTTPDates() {
        #expect(HTTPDate.unixMilliseconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777_000)
        for text in [
            "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 99 Nov 1994 25:49:37 GMT",
        ] {
            #expect(HTTPDate.unixMilliseconds(text) == nil, "\(text)")
        }
    }
}
