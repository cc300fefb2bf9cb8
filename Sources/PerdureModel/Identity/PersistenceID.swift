internal import Glibc

/// The rule for the names under which states are stored.
///
/// A persistence ID is 1 to 255 bytes of UTF-8 without NUL. Any character is welcome: `#`, `/`, quotes, emoji. Two IDs are
/// the same when their **bytes** are: `é` as one code point and `é` as two are different IDs, on every store.
public enum PersistenceID {
    /// The longest ID, in bytes of UTF-8.
    public static let maximumByteCount = 255

    /// Says which rule `id` breaks, in words, or nil when it is valid.
    public static func violation(in id: String) -> String? {
        let count = id.utf8.count
        if count == 0 { return "a persistence ID must not be empty" }
        if count > self.maximumByteCount {
            return "a persistence ID has at most \(self.maximumByteCount) bytes of UTF-8, this one has \(count)"
        }
        if self.containsNUL(id) { return "a persistence ID must not contain NUL (U+0000)" }
        return nil
    }

    /// Whether a text contains NUL, which some databases do not store.
    package static func containsNUL(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            bytes.baseAddress.map { memchr($0, 0, bytes.count) != nil } ?? false
        }
    }

    /// The shard of an ID: FNV-1a (64 bit) over its bytes, modulo the number of shards.
    ///
    /// Stable across processes, machines and releases. `shardCount` must be at least 1.
    public static func shard(of id: String, among shardCount: UInt64) -> UInt64 {
        precondition(shardCount >= 1, "the number of shards must be at least 1")
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in id.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        return hash % shardCount
    }
}
