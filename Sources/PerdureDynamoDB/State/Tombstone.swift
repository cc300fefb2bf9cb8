/// What is left of a deleted ID: its last version, in an item of its own that no reader of states meets.
struct Tombstone: Sendable {
    var version: UInt64
    var writeID: [UInt8]?

    static func item(of id: String, version: UInt64, writeID: WriteID, expiry: Int64?) -> Item {
        var item: Item = [
            StateItem.id: .string(TechnicalKey.tombstone(of: id)), StateItem.kind: .string("tombstone"),
            StateItem.version: .number(version), StateItem.writeID: .binary(writeID.bytes),
        ]
        if let expiry { item.append(StateItem.expiry, .number(expiry)) }
        return item
    }

    init(_ item: Item) {
        let head = StoredHead(item)
        (self.version, self.writeID) = (head.version, head.writeID)
    }
}
