// Reading and writing several items: in batches, of which each item stands for itself, and in transactions.

/// What a `BatchGetItem` found, and what it did not get to.
struct BatchGetAnswer: Sendable {
    var items: [Item] = []
    var unprocessed: [Item] = []
}

extension Operation where Answer == BatchGetAnswer {
    /// `BatchGetItem` of one table: up to 100 different keys.
    static func batchGetItem(
        table: String, keys: [Item], isConsistent: Bool, reportsCapacity: Bool = false
    ) -> Operation {
        var body = RequestBody()
        if reportsCapacity { body.member("ReturnConsumedCapacity", raw: "\"TOTAL\"") }
        body.member("RequestItems") { bytes in
            bytes.append(UInt8(ascii: "{"))
            bytes.append(json: table)
            bytes.append(isConsistent ? ":{\"ConsistentRead\":true,\"Keys\":" : ":{\"Keys\":")
            bytes.append(array: keys) { bytes.append($0) }
            bytes.append("}}")
        }
        return Operation("BatchGetItem", body) { answer throws(AnswerFlaw) in
            var found = BatchGetAnswer()
            if let responses = answer["Responses"] {
                try responses.forEachMember { _, items throws(AnswerFlaw) in
                    try items.forEachElement { item throws(AnswerFlaw) in found.items.append(try Item(item)) }
                }
            }
            if let unprocessed = answer["UnprocessedKeys"], !unprocessed.isNull {
                try unprocessed.forEachMember { _, rest throws(AnswerFlaw) in
                    guard let keys = rest["Keys"] else { return }
                    try keys.forEachElement { key throws(AnswerFlaw) in found.unprocessed.append(try Item(key)) }
                }
            }
            return found
        }
    }
}

/// One write of a batch.
enum BatchWrite: Sendable {
    case put(Item)
    case delete(key: Item)
}

extension Operation where Answer == [BatchWrite] {
    /// `BatchWriteItem` of one table: up to 25 writes of different keys.
    ///
    /// The answer is what was not got to.
    static func batchWriteItem(
        table: String, writes: [BatchWrite], isRepeatable: Bool, reportsCapacity: Bool = false
    ) -> Operation {
        var body = RequestBody(capacity: 4_096)
        if reportsCapacity { body.member("ReturnConsumedCapacity", raw: "\"TOTAL\"") }
        body.member("RequestItems") { bytes in
            bytes.append(UInt8(ascii: "{"))
            bytes.append(json: table)
            bytes.append(UInt8(ascii: ":"))
            bytes.append(array: writes) { write in
                switch write {
                case .put(let item):
                    bytes.append("{\"PutRequest\":{\"Item\":")
                    bytes.append(item)
                case .delete(let key):
                    bytes.append("{\"DeleteRequest\":{\"Key\":")
                    bytes.append(key)
                }
                bytes.append("}}")
            }
            bytes.append(UInt8(ascii: "}"))
        }
        return Operation("BatchWriteItem", body, isRepeatable: isRepeatable) { answer throws(AnswerFlaw) in
            var rest: [BatchWrite] = []
            guard let unprocessed = answer["UnprocessedItems"], !unprocessed.isNull else { return rest }
            try unprocessed.forEachMember { _, writes throws(AnswerFlaw) in
                try writes.forEachElement { write throws(AnswerFlaw) in
                    if let item = write["PutRequest"]?["Item"] {
                        rest.append(.put(try Item(item)))
                    } else if let key = write["DeleteRequest"]?["Key"] {
                        rest.append(.delete(key: try Item(key)))
                    } else {
                        throw AnswerFlaw("an unprocessed write is neither a put nor a deletion")
                    }
                }
            }
            return rest
        }
    }
}

/// One action of a transaction.
struct TransactionAction: Sendable {
    enum Kind: Sendable {
        case put(Item)
        case update(key: Item)
        case delete(key: Item)
        case check(key: Item)
    }

    var kind: Kind
    var table: String
    var expression: Expression

    init(_ kind: Kind, table: String, _ expression: Expression = Expression()) {
        self.kind = kind
        self.table = table
        self.expression = expression
    }

    fileprivate func write(to body: inout RequestBody) {
        func fill(_ body: inout RequestBody, _ name: StaticString, _ item: Item) {
            body.member("TableName", self.table)
            body.member(name, item)
            self.expression.write(to: &body)
            if self.expression.condition != nil { body.wantsItemOnFailure() }
        }
        switch self.kind {
        case .put(let item): body.object("Put") { fill(&$0, "Item", item) }
        case .update(let key): body.object("Update") { fill(&$0, "Key", key) }
        case .delete(let key): body.object("Delete") { fill(&$0, "Key", key) }
        case .check(let key): body.object("ConditionCheck") { fill(&$0, "Key", key) }
        }
    }
}

extension Operation where Answer == Void {
    /// `TransactWriteItems`: all actions or none.
    ///
    /// Under the same `token` (1 to 36 characters) the service carries it out once within ten minutes, however often it is sent.
    static func transactWriteItems(
        _ actions: [TransactionAction], token: String, byteCount: Int = 1_024, reportsCapacity: Bool = false
    ) -> Operation {
        var body = RequestBody(capacity: byteCount)
        if reportsCapacity { body.member("ReturnConsumedCapacity", raw: "\"TOTAL\"") }
        body.member("ClientRequestToken", token)
        body.array("TransactItems", actions) { body, action in action.write(to: &body) }
        return Operation("TransactWriteItems", body)
    }
}

extension Operation where Answer == [Item?] {
    /// `TransactGetItems`: the items under up to 100 keys as they were at one moment.
    static func transactGetItems(
        _ keys: [(table: String, key: Item)], reportsCapacity: Bool = false
    ) -> Operation {
        var body = RequestBody()
        if reportsCapacity { body.member("ReturnConsumedCapacity", raw: "\"TOTAL\"") }
        body.array("TransactItems", keys) { body, key in
            body.object("Get") {
                $0.member("TableName", key.table)
                $0.member("Key", key.key)
            }
        }
        return Operation("TransactGetItems", body) { answer throws(AnswerFlaw) in
            var items: [Item?] = []
            guard let responses = answer["Responses"] else { return items }
            try responses.forEachElement { response throws(AnswerFlaw) in
                if let item = response["Item"], !item.isNull { items.append(try Item(item)) } else { items.append(nil) }
            }
            return items
        }
    }
}
