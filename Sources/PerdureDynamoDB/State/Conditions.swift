/// The conditions of the store's writes, as expressions on the item that is there.
enum StoreCondition {
    /// The item has version `n`, and its payload is where the writer believes it is.
    static func isVersion(_ version: UInt64, chunks: AttributeValue?) -> Expression {
        var expression = Expression()
        // The first plugin's items have no version: they read as version 0.
        expression.condition =
            version == 0
            ? "(VersionNumber = :n OR (attribute_exists(PersistenceID) AND attribute_not_exists(VersionNumber)))"
            : "VersionNumber = :n"
        expression.values.append(":n", .number(version))
        Self.add(chunks, to: &expression)
        return expression
    }

    /// The item is exactly as it was seen: for what is there but cannot be read.
    static func isUnchanged(_ head: StoredHead) -> Expression {
        var expression = Expression()
        if let version = head.rawVersion {
            expression.condition = "VersionNumber = :n"
            expression.values.append(":n", version)
        } else {
            expression.condition = "attribute_exists(PersistenceID) AND attribute_not_exists(VersionNumber)"
        }
        if let writeID = head.writeID {
            expression.condition? += " AND WriteID = :w"
            expression.values.append(":w", .binary(writeID))
        } else {
            expression.condition? += " AND attribute_not_exists(WriteID)"
        }
        Self.add(head.chunks, to: &expression)
        return expression
    }

    /// Nothing matters but where the old payload is, so that it is not left behind.
    static func hasChunks(_ chunks: AttributeValue?) -> Expression {
        var expression = Expression()
        expression.condition = "attribute_exists(PersistenceID)"
        Self.add(chunks, to: &expression)
        if chunks == nil { expression.condition = "attribute_not_exists(Chunks)" }
        return expression
    }

    /// There is no item.
    static let isAbsent: Expression = {
        var expression = Expression()
        expression.condition = "attribute_not_exists(PersistenceID)"
        return expression
    }()

    /// There is no tombstone, or one of an earlier version.
    static func isEarlier(than version: UInt64) -> Expression {
        var expression = Expression()
        expression.condition = "attribute_not_exists(PersistenceID) OR VersionNumber < :v"
        expression.values.append(":v", .number(version))
        return expression
    }

    private static func add(_ chunks: AttributeValue?, to expression: inout Expression) {
        if let chunks {
            expression.condition? += " AND Chunks = :c"
            expression.values.append(":c", chunks)
        } else {
            expression.condition? += " AND attribute_not_exists(Chunks)"
        }
    }
}
