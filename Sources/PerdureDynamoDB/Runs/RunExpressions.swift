/// Expressions that are put together piece by piece, with placeholders for every name and value.
extension Expression {
    mutating func name(_ attribute: String) -> String {
        if let known = self.names.first(where: { $0.1 == attribute }) { return known.0 }
        let placeholder = "#n\(self.names.count)"
        self.names.append((placeholder, attribute))
        return placeholder
    }

    mutating func value(_ value: AttributeValue) -> String {
        let placeholder = ":v\(self.values.attributes.count)"
        self.values.append(placeholder, value)
        return placeholder
    }

    mutating func require(_ condition: String) {
        self.condition = self.condition.map { "\($0) AND \(condition)" } ?? condition
    }

    mutating func require(_ attribute: String, _ value: AttributeValue) {
        let name = self.name(attribute)
        self.require("\(name) = \(self.value(value))")
    }

    /// That the item is there.
    mutating func requirePresence() { self.require("attribute_exists(\(RunAttribute.partition))") }

    /// That there is no item, or one that an earlier life of the run left behind.
    static func isFree(for life: [UInt8]) -> Expression {
        var expression = Expression()
        let name = expression.name(RunAttribute.life)
        let value = expression.value(.binary(life))
        expression.condition = "attribute_not_exists(\(RunAttribute.partition)) OR \(name) <> \(value)"
        return expression
    }

    /// Sets attributes to values, and removes those whose value is nil.
    mutating func change(_ attributes: [(String, AttributeValue?)]) {
        var sets: [String] = []
        var removals: [String] = []
        for (attribute, value) in attributes {
            let name = self.name(attribute)
            if let value { sets.append("\(name) = \(self.value(value))") } else { removals.append(name) }
        }
        var parts: [String] = []
        if !sets.isEmpty { parts.append("SET " + sets.joined(separator: ", ")) }
        if !removals.isEmpty { parts.append("REMOVE " + removals.joined(separator: ", ")) }
        self.update = parts.joined(separator: " ")
    }

    /// The items of a partition whose sort keys are in a range.
    static func partition(
        _ partition: String, of index: RunIndex? = nil, from first: String? = nil, below end: String? = nil
    ) -> Expression {
        var expression = Expression()
        let hash = expression.name(index?.partitionKey ?? RunAttribute.partition)
        var condition = "\(hash) = \(expression.value(.string(partition)))"
        if first != nil || end != nil {
            let sort = expression.name(index?.sortKey ?? RunAttribute.sort)
            switch (first, end) {
            case (let first?, let end?):
                // Both ends belong to BETWEEN; no key is ever equal to an end.
                condition +=
                    " AND \(sort) BETWEEN \(expression.value(.string(first))) AND \(expression.value(.string(end)))"
            case (let first?, nil): condition += " AND \(sort) > \(expression.value(.string(first)))"
            case (nil, let end?): condition += " AND \(sort) < \(expression.value(.string(end)))"
            case (nil, nil): break
            }
        }
        expression.keyCondition = condition
        return expression
    }
}

extension Item {
    mutating func append(_ name: String, optional value: AttributeValue?) {
        if let value { self.append(name, value) }
    }

    func text(_ name: String) -> String? { self[name]?.text }
    func integer(_ name: String) -> Int64? { self[name]?.digits.flatMap { Int64($0) } }
    func count(_ name: String) -> UInt64? { self[name]?.digits.flatMap { UInt64($0) } }
    func time(_ name: String) -> Int64? { self[name]?.text.flatMap { KeyText.milliseconds($0) } }

    /// About how many bytes DynamoDB counts for it.
    var weight: Int { self.attributes.reduce(0) { $0 + $1.name.utf8.count + $1.value.weight } }
}

extension AttributeValue {
    static func time(_ milliseconds: Int64) -> AttributeValue { .string(KeyText.time(milliseconds)) }

    fileprivate var weight: Int {
        switch self {
        case .string(let text): text.utf8.count
        case .number(let digits): digits.utf8.count
        case .binary(let bytes): bytes.count
        case .bool, .null: 1
        case .list(let values): values.reduce(3) { $0 + $1.weight + 1 }
        case .map(let item): item.weight + 3 + item.attributes.count
        case .stringSet(let texts), .numberSet(let texts): texts.reduce(3) { $0 + $1.utf8.count }
        case .binarySet(let values): values.reduce(3) { $0 + $1.count }
        }
    }
}
