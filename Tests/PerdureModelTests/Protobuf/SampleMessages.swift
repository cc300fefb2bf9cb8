import PerdureModel

/// `samplepb.Account { string account_id = 1; double account_balance = 2; }`, the message of eGo's sample.
struct SampleAccount: ProtobufMessage, Hashable {
    static let protoMessageName = "samplepb.Account"
    var accountID = ""
    var accountBalance = 0.0

    init(accountID: String = "", accountBalance: Double = 0) {
        self.accountID = accountID
        self.accountBalance = accountBalance
    }

    init(protobufBytes bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            var reader = ProtobufReader(buffer)
            while let field = try reader.next() {
                switch (field.number, field.value) {
                case (1, .bytes(let range)): self.accountID = try reader.string(range)
                case (2, .fixed64(let bits)): self.accountBalance = Double(bitPattern: bits)
                default: continue
                }
            }
        }
    }

    func protobufBytes() -> [UInt8] {
        var writer = ProtobufWriter()
        writer.write(self.accountID, field: 1)
        writer.write(self.accountBalance, field: 2)
        return writer.bytes
    }
}

/// `samplepb.v2.Account { uint64 revision = 1; int64 cents = 2; samplepb.Account before = 15; }`: numbers, and a message inside.
struct SampleRevision: ProtobufMessage, Hashable {
    static let protoMessageName = "samplepb.v2.Account"
    var revision: UInt64 = 0
    var cents: Int64 = 0
    var before: SampleAccount?

    init(revision: UInt64 = 0, cents: Int64 = 0, before: SampleAccount? = nil) {
        self.revision = revision
        self.cents = cents
        self.before = before
    }

    init(protobufBytes bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            var reader = ProtobufReader(buffer)
            while let field = try reader.next() {
                switch (field.number, field.value) {
                case (1, .varint(let value)): self.revision = value
                case (2, .varint(let value)): self.cents = Int64(bitPattern: value)
                case (15, .bytes(let range)): self.before = try SampleAccount(protobufBytes: Array(buffer[range]))
                default: continue
                }
            }
        }
    }

    func protobufBytes() -> [UInt8] {
        var writer = ProtobufWriter()
        writer.write(self.revision, field: 1)
        writer.write(self.cents, field: 2)
        if let before = self.before { writer.write(message: before.protobufBytes(), field: 15) }
        return writer.bytes
    }
}

/// `samplepb.Nothing {}`, which has no fields.
struct SampleNothing: ProtobufMessage, Hashable {
    static let protoMessageName = "samplepb.Nothing"
    init() {}

    init(protobufBytes bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            var reader = ProtobufReader(buffer)
            while try reader.next() != nil {}
        }
    }

    func protobufBytes() -> [UInt8] { [] }
}

/// The vectors that were made by running the Go code.
enum GoldenVector {
    static let account = SampleAccount(accountID: "account-42", accountBalance: 4200)
    static let message = bytes(hex: "0a0a6163636f756e742d343211000000000068b040")
    static let any = bytes(
        hex: """
            0a24747970652e676f6f676c65617069732e636f6d2f73616d706c6570622e4163636f756e74\
            12150a0a6163636f756e742d343211000000000068b040
            """)
    static let anyBase64 = "CiR0eXBlLmdvb2dsZWFwaXMuY29tL3NhbXBsZXBiLkFjY291bnQSFQoKYWNjb3VudC00MhEAAAAAAGiwQA=="
    static let durableState =
        bytes(hex: "0a0a6163636f756e742d343210071a3d") + any + bytes(hex: "28959a97ece39fe7cb173003")
}
