/// Base64 as DynamoDB writes binary values: the usual alphabet, padded, no line ends.
enum Base64 {
    static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Writes the base64 of `bytes` to `target`, which has room for it, and returns how long it is.
    static func encode(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let letters = Self.alphabet.utf8Start
        var target = target
        var index = 0
        let whole = bytes.count - bytes.count % 3
        while index < whole {
            let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
            target[0] = letters[Int(group >> 18)]
            target[1] = letters[Int(group >> 12 & 63)]
            target[2] = letters[Int(group >> 6 & 63)]
            target[3] = letters[Int(group & 63)]
            target += 4
            index += 3
        }
        let rest = bytes.count - whole
        if rest > 0 {
            let group = UInt32(bytes[index]) << 16 | (rest == 2 ? UInt32(bytes[index + 1]) << 8 : 0)
            target[0] = letters[Int(group >> 18)]
            target[1] = letters[Int(group >> 12 & 63)]
            target[2] = rest == 2 ? letters[Int(group >> 6 & 63)] : UInt8(ascii: "=")
            target[3] = UInt8(ascii: "=")
        }
        return Self.encodedCount(bytes.count)
    }

    /// The bytes of a base64 text, or nil when it is none.
    static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        guard let last = text.last else { return [] }
        let padding = last != UInt8(ascii: "=") ? 0 : text[text.count - 2] != UInt8(ascii: "=") ? 1 : 2
        let count = text.count / 4 * 3 - padding
        var isValid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { target, filled in
            filled = count
            guard let values = Self.values.baseAddress else { return }
            // No letter sets the top bit of its value, so one look at the end finds any byte that is none.
            var seen: UInt32 = 0
            var index = 0
            var place = 0
            let whole = text.count - (padding > 0 ? 4 : 0)
            while index < whole {
                let (a, b) = (UInt32(values[Int(text[index])]), UInt32(values[Int(text[index + 1])]))
                let (c, d) = (UInt32(values[Int(text[index + 2])]), UInt32(values[Int(text[index + 3])]))
                seen |= a | b | c | d
                let group = a << 18 | b << 12 | c << 6 | d
                target[place] = UInt8(truncatingIfNeeded: group >> 16)
                target[place + 1] = UInt8(truncatingIfNeeded: group >> 8)
                target[place + 2] = UInt8(truncatingIfNeeded: group)
                index += 4
                place += 3
            }
            if padding > 0 {
                let (a, b) = (UInt32(values[Int(text[index])]), UInt32(values[Int(text[index + 1])]))
                let c = padding == 1 ? UInt32(values[Int(text[index + 2])]) : 0
                seen |= a | b | c
                let group = a << 18 | b << 12 | c << 6
                target[place] = UInt8(truncatingIfNeeded: group >> 16)
                if padding == 1 { target[place + 1] = UInt8(truncatingIfNeeded: group >> 8) }
                // What does not make a whole byte must be zero.
                if group & (padding == 1 ? 0xff : 0xffff) != 0 { isValid = false }
            }
            if seen & 0x80 != 0 { isValid = false }
        }
        return isValid ? bytes : nil
    }

    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// For each byte its value, or 0x80. Never freed.
    nonisolated(unsafe) private static let values: UnsafeBufferPointer<UInt8> = {
        let table = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 256)
        table.initialize(repeating: 0x80)
        for value in 0..<64 { table[Int(Self.alphabet.utf8Start[value])] = UInt8(value) }
        return UnsafeBufferPointer(table)
    }()
}
