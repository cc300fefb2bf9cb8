/// One value of DynamoDB's data model.
///
/// Numbers stay text: they have up to 38 digits, more than any of Swift's types.
enum AttributeValue: Sendable, Equatable {
    case string(String)
    case number(String)
    case binary([UInt8])
    case bool(Bool)
    case null
    case list([AttributeValue])
    case map(Item)
    case stringSet([String])
    case numberSet([String])
    case binarySet([[UInt8]])

    static func number(_ value: some BinaryInteger) -> AttributeValue { .number(String(value)) }

    /// The text of a string value.
    var text: String? { if case .string(let text) = self { text } else { nil } }
    /// The digits of a number value.
    var digits: String? { if case .number(let digits) = self { digits } else { nil } }
    /// The bytes of a binary value.
    var bytes: [UInt8]? { if case .binary(let bytes) = self { bytes } else { nil } }

    /// What type it has, as DynamoDB's own descriptor.
    var type: StaticString {
        switch self {
        case .string: "S"
        case .number: "N"
        case .binary: "B"
        case .bool: "BOOL"
        case .null: "NULL"
        case .list: "L"
        case .map: "M"
        case .stringSet: "SS"
        case .numberSet: "NS"
        case .binarySet: "BS"
        }
    }

    /// Values are equal when they have the same type and the same bytes; text is not compared by canonical equivalence.
    static func == (left: AttributeValue, right: AttributeValue) -> Bool {
        func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
        switch (left, right) {
        case (.string(let left), .string(let right)), (.number(let left), .number(let right)): return same(left, right)
        case (.binary(let left), .binary(let right)): return left == right
        case (.bool(let left), .bool(let right)): return left == right
        case (.null, .null): return true
        case (.list(let left), .list(let right)): return left == right
        case (.map(let left), .map(let right)): return left == right
        case (.stringSet(let left), .stringSet(let right)), (.numberSet(let left), .numberSet(let right)):
            return left.elementsEqual(right, by: same)
        case (.binarySet(let left), .binarySet(let right)): return left == right
        default: return false
        }
    }
}

/// The attributes of an item, or of a map within one: names and values in the order in which they were written.
///
/// A dictionary over `String` would take names for the same that DynamoDB tells apart.
struct Item: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    var attributes: [(name: String, value: AttributeValue)]

    init(_ attributes: [(name: String, value: AttributeValue)] = []) { self.attributes = attributes }

    init(dictionaryLiteral elements: (String, AttributeValue)...) {
        self.attributes = elements.map { (name: $0.0, value: $0.1) }
    }

    /// The value under a name, compared by bytes.
    subscript(name: String) -> AttributeValue? {
        self.attributes.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    mutating func append(_ name: String, _ value: AttributeValue) { self.attributes.append((name, value)) }

    /// Items are equal when they have the same attributes in any order.
    static func == (left: Item, right: Item) -> Bool {
        left.attributes.count == right.attributes.count
            && left.attributes.allSatisfy { right[$0.name] == $0.value }
    }
}
