/// A request to DynamoDB as a value: what to ask, and how to read the answer.
struct Operation<Answer: Sendable>: Sendable {
    /// The operation's name in the API.
    let name: StaticString
    let body: ByteBuffer
    /// Whether it may be sent again after it may have been carried out: reads, and writes that know themselves again.
    let isRepeatable: Bool
    let decode: @Sendable (JSONValue) throws(AnswerFlaw) -> Answer

    init(
        _ name: StaticString, _ body: RequestBody, isRepeatable: Bool = true,
        decode: @escaping @Sendable (JSONValue) throws(AnswerFlaw) -> Answer
    ) {
        self.name = name
        self.body = body.finish()
        self.isRepeatable = isRepeatable
        self.decode = decode
    }
}

extension Operation where Answer == Void {
    /// An operation whose answer says nothing more than that it is done.
    init(_ name: StaticString, _ body: RequestBody, isRepeatable: Bool = true) {
        self.init(name, body, isRepeatable: isRepeatable) { _ throws(AnswerFlaw) in }
    }
}

/// The JSON object of a request while it is written.
struct RequestBody {
    private let bytes: ByteBuffer
    private var isEmpty = true

    init(capacity: Int = 512) {
        self.bytes = ByteBuffer(capacity: capacity)
        self.bytes.append(UInt8(ascii: "{"))
    }

    private mutating func name(_ name: StaticString) {
        self.bytes.append(self.isEmpty ? "\"" : ",\"")
        self.isEmpty = false
        self.bytes.append(name)
        self.bytes.append("\":")
    }

    mutating func member(_ name: StaticString, _ text: String) {
        self.name(name)
        self.bytes.append(json: text)
    }

    mutating func member(_ name: StaticString, optional text: String?) { if let text { self.member(name, text) } }

    mutating func member(_ name: StaticString, _ truth: Bool) {
        self.name(name)
        self.bytes.append(truth ? "true" : "false")
    }

    mutating func member(_ name: StaticString, _ number: Int) {
        self.name(name)
        self.bytes.append(String(number))
    }

    mutating func member(_ name: StaticString, _ item: Item) {
        self.name(name)
        self.bytes.append(item)
    }

    mutating func member(_ name: StaticString, optional item: Item?) { if let item { self.member(name, item) } }

    mutating func member(_ name: StaticString, raw: StaticString) {
        self.name(name)
        self.bytes.append(raw)
    }

    mutating func member(_ name: StaticString, _ write: (ByteBuffer) -> Void) {
        self.name(name)
        write(self.bytes)
    }

    mutating func object(_ name: StaticString, _ write: (inout RequestBody) -> Void) {
        self.name(name)
        self.object(write)
    }

    mutating func array<Element>(
        _ name: StaticString, _ elements: [Element], _ write: (inout RequestBody, Element) -> Void
    ) {
        self.name(name)
        let bytes = self.bytes
        bytes.append(array: elements) { element in
            var object = RequestBody(in: bytes)
            write(&object, element)
            _ = object.finish()
        }
    }

    private func object(_ write: (inout RequestBody) -> Void) {
        var object = RequestBody(in: self.bytes)
        write(&object)
        _ = object.finish()
    }

    private init(in bytes: ByteBuffer) {
        self.bytes = bytes
        bytes.append(UInt8(ascii: "{"))
    }

    func finish() -> ByteBuffer {
        self.bytes.append(UInt8(ascii: "}"))
        return self.bytes
    }
}
