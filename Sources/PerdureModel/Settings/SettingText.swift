/// Reads the values of settings as they are written in URLs and on command lines: one spelling for every store.
package enum SettingText {
    /// A time such as `200us`, `500ms`, `90s`, `10m` or `1h`, or plain seconds; nil for anything else, and for 2³² units or more.
    package static func time(_ text: String) -> Duration? {
        let units: [(name: String, microseconds: Int64)] = [
            ("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000), ("", 1_000_000),
        ]
        for unit in units where text.hasSuffix(unit.name) {
            guard let number = Int64(text.dropLast(unit.name.count)), (0..<1 << 32).contains(number) else { continue }
            return Duration.microseconds(unit.microseconds) * number
        }
        return nil
    }

    /// What ``time(_:)`` reads, in words.
    package static let timeRule = "a time such as 200us, 500ms, 90s, 10m or 1h"

    /// The text with its percent escapes undone; nil when one is broken, or the result is not UTF-8 without NUL.
    package static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Self.digit), let low = rest.popFirst().flatMap(Self.digit)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        guard !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The name and the number behind its last colon, if there is one: `host:port`, `[::1]:port`, the brackets taken off.
    ///
    /// Nil when what stands there is no port, a number from 1 to 65535.
    package static func place(_ text: Substring) -> (name: Substring, port: Int?)? {
        var name = text
        var port: Int?
        // The colons inside an IPv6 address are in brackets.
        if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
            guard let number = Int(text[text.index(after: colon)...]), (1...65_535).contains(number) else { return nil }
            port = number
            name = text[..<colon]
        }
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        return (name, port)
    }
}
