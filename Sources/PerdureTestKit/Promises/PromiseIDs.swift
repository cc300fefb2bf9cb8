/// The IDs that every suite tries.
enum PromiseIDs {
    /// Ends of IDs that are not usual, and what is unusual about them.
    static let unusual: [(what: String, suffix: String)] = [
        ("number signs and slashes", "#a/b#c//#"),
        ("quotes and semicolons", #"'a"b`c';--"#),
        ("backslashes, percent signs and underscores", #"\a%b_c\%\_\\"#),
        ("braces, dollars, question marks and colons", "{a}$1?:b@c&d=e+f"),
        ("emoji", "🦆👩‍👩‍👧‍👦🏳️‍🌈"),
        ("letters of many scripts", "Ünïcödé Ελλάδα 日本語 العربية हिन्दी"),
        ("spaces inside and at its end", "a b  c "),
        ("tabs, line ends and control characters", "a\tb\nc\rd\u{1}e\u{7f}f"),
        ("the last code points of each length", "\u{7f}\u{7ff}\u{ffff}\u{10ffff}"),
        ("a byte order mark and joiners", "\u{feff}a\u{200d}b\u{2028}"),
    ]

    /// Ends of IDs that somebody might take for the same, and what they differ in.
    static let alike: [(what: String, suffixes: [String])] = [
        ("composed and decomposed accents", ["caf\u{e9}", "cafe\u{301}"]),
        ("upper and lower case", ["Id", "iD", "ID", "id"]),
        ("spaces at the end", ["a", "a ", "a  ", "a\t"]),
        ("wildcards and what they stand for", ["a%", "a_", "ab", "abc", "a*", "a?"]),
        ("look-alikes of different code points", ["A", "\u{391}", "\u{410}", "\u{212b}", "\u{c5}"]),
        ("numbers with and without leading zeros", ["1", "01", "1.0", "1e0", "+1"]),
        ("code points that collations ignore", ["ab", "a\u{200b}b", "a\u{ad}b", "a\u{1}b"]),
    ]

    /// IDs that break the rule, made from what others begin with, and what the error must say of the rule.
    static let refused: [(what: String, rule: String?, makeID: @Sendable (_ prefix: String) -> String)] = [
        ("an empty ID", nil, { _ in "" }),
        ("an ID of 256 bytes", "255", { $0 + String(repeating: "x", count: 256 - $0.utf8.count) }),
        (
            "an ID of 255 characters in 256 bytes", "255",
            { $0 + String(repeating: "x", count: 254 - $0.utf8.count) + "é" }
        ),
        ("an ID of 100,000 bytes", "255", { $0 + String(repeating: "x", count: 100_000 - $0.utf8.count) }),
        ("an ID with NUL in it", "NUL", { $0 + "a\0b" }),
        ("an ID that ends with NUL", "NUL", { $0 + "a\0" }),
    ]
}
