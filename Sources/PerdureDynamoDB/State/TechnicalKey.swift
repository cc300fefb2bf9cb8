/// The keys of items that are no states: longer than any persistence ID may be, so that none can be taken for the other.
///
/// Each has exactly ``byteCount`` bytes and tells at its end what it is. The texts in front differ, so the keys do.
enum TechnicalKey {
    static let byteCount = 270

    /// The key of the tombstone of an ID.
    static func tombstone(of id: String) -> String { Self.key(id, "tombstone", id.utf8.count) }

    /// The key of one chunk of a payload.
    static func chunk(_ set: String, _ number: Int) -> String { Self.key("\(set)/\(number)", "chunk", number) }

    /// A key that is never written: for seeing whether the table answers.
    static let nobody = Self.key("", "nobody", 0)

    /// Text, dots up to the length of the longest ID, kind and number. The number is the length of an ID: without it an ID that ends
    /// with dots would have the key of one that does not.
    private static func key(_ text: String, _ kind: String, _ number: Int) -> String {
        let tail = "!\(kind):\(number)"
        let dots = Self.byteCount - text.utf8.count - tail.utf8.count
        return text + String(repeating: ".", count: max(0, dots)) + tail
    }
}
