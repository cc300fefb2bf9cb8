/// Values on their way into a request: written straight into its bytes.
extension ByteBuffer {
    func append(_ value: AttributeValue) {
        switch value {
        case .string(let text):
            self.append("{\"S\":")
            self.append(json: text)
        case .number(let digits):
            self.append("{\"N\":")
            self.append(json: digits)
        case .binary(let bytes):
            self.append("{\"B\":")
            self.append(base64: bytes)
        case .bool(let truth): self.append(truth ? "{\"BOOL\":true" : "{\"BOOL\":false")
        case .null: self.append("{\"NULL\":true")
        case .list(let values):
            self.append("{\"L\":")
            self.append(array: values) { self.append($0) }
        case .map(let item):
            self.append("{\"M\":")
            self.append(item)
        case .stringSet(let texts):
            self.append("{\"SS\":")
            self.append(array: texts) { self.append(json: $0) }
        case .numberSet(let numbers):
            self.append("{\"NS\":")
            self.append(array: numbers) { self.append(json: $0) }
        case .binarySet(let values):
            self.append("{\"BS\":")
            self.append(array: values) { self.append(base64: $0) }
        }
        self.append(UInt8(ascii: "}"))
    }

    func append(_ item: Item) {
        self.append(UInt8(ascii: "{"))
        var isFirst = true
        for (name, value) in item.attributes {
            if !isFirst { self.append(UInt8(ascii: ",")) }
            isFirst = false
            self.append(json: name)
            self.append(UInt8(ascii: ":"))
            self.append(value)
        }
        self.append(UInt8(ascii: "}"))
    }

    func append<Element>(array elements: [Element], _ write: (Element) -> Void) {
        self.append(UInt8(ascii: "["))
        var isFirst = true
        for element in elements {
            if !isFirst { self.append(UInt8(ascii: ",")) }
            isFirst = false
            write(element)
        }
        self.append(UInt8(ascii: "]"))
    }
}

/// Values in an answer.
extension AttributeValue {
    /// Reads `{"S":"text"}` and its kind.
    ///
    /// - Throws: ``AnswerFlaw`` when it is no value, or is nested deeper than DynamoDB allows.
    init(_ json: JSONValue, depth: Int = 0) throws(AnswerFlaw) {
        guard let (type, content) = json.onlyMember else {
            throw AnswerFlaw("an attribute value is no object of one member")
        }
        // DynamoDB nests 32 levels; noise could nest as deep as it is long.
        guard depth < 64 else { throw AnswerFlaw("an attribute value is nested too deeply") }
        switch (type.count, type[0], type.count > 1 ? type[1] : 0) {
        case (1, UInt8(ascii: "S"), _): self = .string(try content.string())
        case (1, UInt8(ascii: "N"), _): self = .number(try content.string())
        case (1, UInt8(ascii: "B"), _): self = .binary(try content.binary())
        case (1, UInt8(ascii: "L"), _):
            var values: [AttributeValue] = []
            try content.forEachElement { element throws(AnswerFlaw) in
                values.append(try AttributeValue(element, depth: depth + 1))
            }
            self = .list(values)
        case (1, UInt8(ascii: "M"), _): self = .map(try Item(content, depth: depth + 1))
        case (2, UInt8(ascii: "S"), UInt8(ascii: "S")): self = .stringSet(try content.strings())
        case (2, UInt8(ascii: "N"), UInt8(ascii: "S")): self = .numberSet(try content.strings())
        case (2, UInt8(ascii: "B"), UInt8(ascii: "S")):
            var values: [[UInt8]] = []
            try content.forEachElement { element throws(AnswerFlaw) in values.append(try element.binary()) }
            self = .binarySet(values)
        case (4, UInt8(ascii: "B"), UInt8(ascii: "O")):
            guard let truth = content.bool else { throw AnswerFlaw("a BOOL is neither true nor false") }
            self = .bool(truth)
        case (4, UInt8(ascii: "N"), UInt8(ascii: "U")): self = .null
        default: throw AnswerFlaw("an attribute value has an unknown type")
        }
    }
}

extension Item {
    /// Reads an object of attribute values.
    init(_ json: JSONValue, depth: Int = 0) throws(AnswerFlaw) {
        var attributes: [(name: String, value: AttributeValue)] = []
        attributes.reserveCapacity(json.count)
        try json.forEachMember { name, value throws(AnswerFlaw) in
            attributes.append((String(decoding: name, as: UTF8.self), try AttributeValue(value, depth: depth)))
        }
        self.attributes = attributes
    }
}
