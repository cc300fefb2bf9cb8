/// The manifest of a JSON state: `json:<name>:<version>`.
///
/// - The name has 1 to 239 bytes of UTF-8, without `:`, blanks and control characters; two names are the same when their
///   bytes are.
/// - The version is a number from 1 to 2,147,483,647, written without sign and without leading zeros.
///
/// So the longest manifest has 255 bytes, and there is one way only to write each.
struct JSONManifest: Sendable {
    let name: String
    let version: Int

    static let prefix = "json:"
    static let maximumVersion = Int(Int32.max)
    /// What is left of 255 bytes after the prefix, the second colon and ten digits.
    static let maximumNameByteCount = StatePayload.maximumManifestByteCount - prefix.utf8.count - 1 - 10

    var text: String { "\(Self.prefix)\(self.name):\(self.version)" }

    /// Says which rule `name` breaks, in words, or nil when it is valid.
    static func violation(inName name: String) -> String? {
        let count = name.utf8.count
        if count == 0 { return "the stored name of a type must not be empty" }
        if count > maximumNameByteCount {
            return "the stored name of a type has at most \(maximumNameByteCount) bytes of UTF-8, this one has \(count)"
        }
        if name.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f || $0 == UInt8(ascii: ":") }) {
            return "the stored name of a type must not contain colons, blanks and control characters: "
                + name.debugDescription
        }
        return nil
    }

    /// Says which rule `version` breaks, in words, or nil when it is valid.
    static func violation(inVersion version: Int) -> String? {
        if version >= 1, version <= maximumVersion { return nil }
        return "a schema version is a number from 1 to \(maximumVersion), this one is \(version)"
    }

    init(name: String, version: Int) {
        self.name = name
        self.version = version
    }

    /// The name and version in `text`, or nil when it is no manifest of a JSON state.
    init?(parsing text: String) {
        guard text.utf8.starts(with: Self.prefix.utf8), let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else {
            return nil
        }
        let start = text.utf8.index(text.startIndex, offsetBy: Self.prefix.utf8.count)
        guard start < colon else { return nil }
        let name = String(text[start..<colon])
        let digits = text.utf8[text.utf8.index(after: colon)...]
        guard let first = digits.first, first != UInt8(ascii: "0"),
            digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
            let version = Int(Substring(digits)), Self.violation(inVersion: version) == nil,
            Self.violation(inName: name) == nil
        else { return nil }
        self.name = name
        self.version = version
    }
}
