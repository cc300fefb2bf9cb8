import FoundationEssentials
import PerdureState
import Testing

@testable import PerdureCLI

@Suite("Payloads by their descriptors")
struct MessageTextTests {
    private static let folder = #filePath.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    static let file = "\(folder)/bank.binpb"

    private func text() async throws -> MessageText {
        MessageText(descriptors: try DescriptorSet(parsing: await InputFile(Self.file).read()))
    }

    /// Written by protobuf for Python: every kind of field that the type has.
    static let any = """
        CiN0eXBlLmdvb2dsZWFwaXMuY29tL2JhbmsudjEuQWNjb3VudBK0AQoIQWRhICJBIgoRAAAAAAAAKUAYAiINAf7//////////wGsAioICgNkYXkQ5wcqAhAG\
        MggKBG9zbG8QAzoCAP9AAU0HAAAAUIWAgICAgICAgAFaCAiA4s+qBhAFYjMKKXR5cGUuZ29vZ2xlYXBpcy5jb20vYmFuay52MS5BY2NvdW50LkxpbWl0EgYK\
        AmluEAJqA2FAYn3NzMw9ggEHCAISAwoBeIoBAgECkQH3/////////w==
        """

    private static let account = """
        "ownerName":"Ada \\"A\\"\\n","balance":12.5,"currency":"NOK","pins":[1,-2,300],\
        "limits":[{"name":"day","cents":"-500"},{"cents":"3"}],"visits":{"oslo":"3"},"seal":"AP8=","isOpen":true,\
        "branch":7,"number":"9223372036854775813","opened":{"seconds":"1700000000","nanos":5},\
        "extra":{"@type":"type.googleapis.com/bank.v1.Account.Limit","name":"in","cents":"1"},"mail":"a@b","rate":0.1,\
        "history":{"2":{"name":"x"}},"others":["EUR","NOK"],"offset":"-9"}
        """

    static let inWords = "{\"@type\":\"type.googleapis.com/bank.v1.Account\"," + account

    @Test("every kind of field, in both of eGo's layouts") func fields() async throws {
        let bytes = [UInt8](try #require(Data(base64Encoded: Self.any)))
        let text = try await self.text()
        #expect(text.text(of: StatePayload(manifest: "google.protobuf.Any", bytes: bytes)) == Self.inWords)
        // The Any's second field is the message itself.
        let message = Array(bytes[40...])
        #expect(text.text(of: StatePayload(manifest: "bank.v1.Account", bytes: message)) == "{" + Self.account)
        #expect(text.text(of: StatePayload(manifest: "bank.v1.Account", bytes: [])) == "{}")
    }

    @Test("fields that the descriptors do not know stand under their numbers") func unknown() async throws {
        let bytes: [UInt8] = [0xF8, 0x07, 5, 0xFA, 0x07, 1, 0x41, 0x08, 1]
        let text = try await self.text().text(of: StatePayload(manifest: "bank.v1.Account", bytes: bytes))
        #expect(text == "{\"ownerName\":\"1\",\"#127\":\"5\",\"#127\":\"QQ==\"}")
    }

    @Test("what is no message, or of another type, is none") func foreign() async throws {
        let text = try await self.text()
        #expect(text.text(of: StatePayload(manifest: "json:Account:1", bytes: [])) == nil)
        #expect(text.text(of: StatePayload(manifest: "bank.v1.Account", bytes: [0x0A, 9])) == nil)
        #expect(text.text(of: StatePayload(manifest: "google.protobuf.Any", bytes: [1, 2, 3])) == nil)
        #expect(text.text(of: StatePayload(manifest: "google.protobuf.Any", bytes: [])) == nil)
    }

    @Test("noise is refused, never a trap") func noise() async throws {
        let set = try await InputFile(Self.file).read()
        let payload = [UInt8](try #require(Data(base64Encoded: Self.any)))
        let text = try await self.text()
        var seed: UInt64 = 11
        func next(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        for _ in 0..<3_000 {
            var bytes = payload
            for _ in 0...next(4) { bytes[next(bytes.count)] = UInt8(next(256)) }
            _ = text.text(of: StatePayload(manifest: "google.protobuf.Any", bytes: bytes))
            _ = text.text(of: StatePayload(manifest: "bank.v1.Account", bytes: Array(bytes[next(bytes.count)...])))
            var noise = set
            for _ in 0...next(4) { noise[next(noise.count)] = UInt8(next(256)) }
            if let descriptors = try? DescriptorSet(parsing: noise) {
                _ = MessageText(descriptors: descriptors).text(
                    of: StatePayload(manifest: "google.protobuf.Any", bytes: payload))
            }
        }
    }

    @Test("the command decodes with --descriptors, and dumps otherwise") func command() async throws {
        try await withStores(.sqlite) { folder, urls in
            let bytes = try #require(Data(base64Encoded: Self.any))
            try bytes.write(to: URL(filePath: "\(folder)/any.bin"))
            let environment = ["PERDURE_STORE": urls[0]]
            let put = ["state", "put", "ada", "any.bin", "-m", "google.protobuf.Any"]
            #expect(try await ToolProcess.run(put, in: folder, environment: environment).status == 0)
            let get = ["state", "get", "ada"]
            let plain = try await ToolProcess.run(get, in: folder, environment: environment).output
            #expect(plain.contains("\n00000000  0a 23 74 79 70 65 2e 67"))
            let shown = try await ToolProcess.run(
                get + ["--descriptors", Self.file], in: folder, environment: environment)
            #expect(
                shown.status == 0 && shown.output.hasSuffix("size      220 bytes\n\n\(Self.inWords)\n"),
                "\(shown)")
            let json = try await ToolProcess.run(
                get + ["--descriptors", Self.file, "--json"], in: folder, environment: environment)
            #expect(json.output.hasSuffix("\"value\":\(Self.inWords)}\n"))
            let wrong = try await ToolProcess.run(
                get + ["--descriptors", "any.bin"], in: folder, environment: environment)
            #expect(wrong.status == 2 && wrong.errors.hasPrefix("perdure: \"any.bin\": it "), "\(wrong.errors)")
            let missing = try await ToolProcess.run(
                get + ["--descriptors", "none"], in: folder, environment: environment)
            #expect(missing.status == 1 && missing.errors.hasPrefix("perdure: \"none\" cannot be read: "))
        }
    }
}
