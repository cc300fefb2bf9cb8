/// The expressions of a request, with the names and values that they mention.
struct Expression: Sendable {
    var condition: String?
    var update: String?
    var filter: String?
    var keyCondition: String?
    var projection: String?
    /// `#name` to the attribute's name.
    var names: [(String, String)] = []
    /// `:value` to the value.
    var values = Item()

    func write(to body: inout RequestBody) {
        body.member("ConditionExpression", optional: self.condition)
        body.member("UpdateExpression", optional: self.update)
        body.member("FilterExpression", optional: self.filter)
        body.member("KeyConditionExpression", optional: self.keyCondition)
        body.member("ProjectionExpression", optional: self.projection)
        if !self.names.isEmpty {
            body.member("ExpressionAttributeNames") { bytes in
                bytes.append(UInt8(ascii: "{"))
                for (index, (placeholder, name)) in self.names.enumerated() {
                    if index > 0 { bytes.append(UInt8(ascii: ",")) }
                    bytes.append(json: placeholder)
                    bytes.append(UInt8(ascii: ":"))
                    bytes.append(json: name)
                }
                bytes.append(UInt8(ascii: "}"))
            }
        }
        if !self.values.attributes.isEmpty { body.member("ExpressionAttributeValues", self.values) }
    }
}

extension RequestBody {
    /// A request of one table begins so.
    init(table: String, reportsCapacity: Bool = false, capacity: Int = 512) {
        self.init(capacity: capacity)
        self.member("TableName", table)
        if reportsCapacity { self.member("ReturnConsumedCapacity", raw: "\"TOTAL\"") }
    }

    /// With a condition that fails comes the item that it was about.
    mutating func wantsItemOnFailure() { self.member("ReturnValuesOnConditionCheckFailure", raw: "\"ALL_OLD\"") }
}
