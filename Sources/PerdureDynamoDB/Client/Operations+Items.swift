// Reading and writing single items.

extension Operation where Answer == Item? {
    /// `GetItem`: the item under a key; nil when there is none.
    static func getItem(
        table: String, key: Item, isConsistent: Bool, _ expression: Expression = Expression(),
        reportsCapacity: Bool = false
    ) -> Operation {
        var body = RequestBody(table: table, reportsCapacity: reportsCapacity, capacity: 256)
        body.member("Key", key)
        if isConsistent { body.member("ConsistentRead", true) }
        expression.write(to: &body)
        return Operation("GetItem", body) { answer throws(AnswerFlaw) in
            guard let item = answer["Item"], !item.isNull else { return nil }
            return try Item(item)
        }
    }

    /// `UpdateItem`: changes attributes of an item; the answer is what `returning` asks for, such as `ALL_NEW`.
    static func updateItem(
        table: String, key: Item, _ expression: Expression, returning: StaticString = "NONE", isRepeatable: Bool,
        reportsCapacity: Bool = false
    ) -> Operation {
        var body = RequestBody(table: table, reportsCapacity: reportsCapacity)
        body.member("Key", key)
        expression.write(to: &body)
        body.member("ReturnValues", "\(returning)")
        if expression.condition != nil { body.wantsItemOnFailure() }
        return Operation("UpdateItem", body, isRepeatable: isRepeatable) { answer throws(AnswerFlaw) in
            guard let item = answer["Attributes"], !item.isNull else { return nil }
            return try Item(item)
        }
    }
}

extension Operation where Answer == Void {
    /// `PutItem`: stores an item in the place of what is there.
    static func putItem(
        table: String, item: Item, _ expression: Expression = Expression(), byteCount: Int = 512, isRepeatable: Bool,
        reportsCapacity: Bool = false
    ) -> Operation {
        var body = RequestBody(table: table, reportsCapacity: reportsCapacity, capacity: byteCount)
        body.member("Item", item)
        expression.write(to: &body)
        if expression.condition != nil { body.wantsItemOnFailure() }
        return Operation("PutItem", body, isRepeatable: isRepeatable)
    }

    /// `DeleteItem`: removes an item; one that is not there is no error.
    static func deleteItem(
        table: String, key: Item, _ expression: Expression = Expression(), isRepeatable: Bool,
        reportsCapacity: Bool = false
    ) -> Operation {
        var body = RequestBody(table: table, reportsCapacity: reportsCapacity)
        body.member("Key", key)
        expression.write(to: &body)
        if expression.condition != nil { body.wantsItemOnFailure() }
        return Operation("DeleteItem", body, isRepeatable: isRepeatable)
    }
}

/// Some of the items that a query or a scan found.
struct ItemPage: Sendable {
    var items: [Item]
    /// Where to go on; nil when this was the last.
    var next: Item?
    /// How many were found: as many as there are items, if items were asked for.
    var count: Int
    /// How many items were looked at, found or not.
    var scannedCount: Int

    fileprivate init(_ answer: JSONValue) throws(AnswerFlaw) {
        self.items = []
        if let items = answer["Items"] {
            self.items.reserveCapacity(items.count)
            var found: [Item] = []
            try items.forEachElement { item throws(AnswerFlaw) in found.append(try Item(item)) }
            self.items = found
        }
        if let next = answer["LastEvaluatedKey"], !next.isNull { self.next = try Item(next) }
        self.count = answer["Count"]?.int ?? self.items.count
        self.scannedCount = answer["ScannedCount"]?.int ?? self.count
    }
}

extension Operation where Answer == ItemPage {
    /// `Query`: the items of one partition that a key condition picks, in the order of their sort keys; with `onlyCounts` how many
    /// there are.
    static func query(
        table: String, index: String? = nil, _ expression: Expression, after start: Item? = nil, limit: Int? = nil,
        isAscending: Bool = true, isConsistent: Bool = false, onlyCounts: Bool = false, reportsCapacity: Bool = false
    ) -> Operation {
        var body = RequestBody(table: table, reportsCapacity: reportsCapacity)
        body.member("IndexName", optional: index)
        expression.write(to: &body)
        body.member("ExclusiveStartKey", optional: start)
        if let limit { body.member("Limit", limit) }
        if onlyCounts { body.member("Select", "COUNT") }
        if !isAscending { body.member("ScanIndexForward", false) }
        if isConsistent { body.member("ConsistentRead", true) }
        return Operation("Query", body) { answer throws(AnswerFlaw) in try ItemPage(answer) }
    }

    /// `Scan`: the items of the whole table, or of one of `segment.of` equal parts of it.
    static func scan(
        table: String, _ expression: Expression = Expression(), after start: Item? = nil, limit: Int? = nil,
        isConsistent: Bool, segment: (number: Int, of: Int)? = nil, reportsCapacity: Bool = false
    ) -> Operation {
        var body = RequestBody(table: table, reportsCapacity: reportsCapacity)
        expression.write(to: &body)
        body.member("ExclusiveStartKey", optional: start)
        if let limit { body.member("Limit", limit) }
        if isConsistent { body.member("ConsistentRead", true) }
        if let segment {
            body.member("Segment", segment.number)
            body.member("TotalSegments", segment.of)
        }
        return Operation("Scan", body) { answer throws(AnswerFlaw) in try ItemPage(answer) }
    }
}
