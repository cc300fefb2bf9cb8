/// The fields of one line of comma-separated values.
///
/// A field in quotes may hold commas, and quotes written twice, but not the end of a line: so one wrong quote spoils one row
/// and not the rest of the file.
struct CSVRow {
    private(set) var fields: [String] = []

    init(_ line: [UInt8]) throws(RowFault) {
        let quote = UInt8(ascii: "\"")
        let comma = UInt8(ascii: ",")
        var position = 0
        while true {
            if position < line.count, line[position] == quote {
                var content: [UInt8] = []
                position += 1
                while true {
                    guard let end = line[position...].firstIndex(of: quote) else {
                        throw RowFault("a quoted field does not end on its line")
                    }
                    content += line[position..<end]
                    position = end + 1
                    guard position < line.count, line[position] == quote else { break }
                    content.append(quote)
                    position += 1
                }
                guard position == line.count || line[position] == comma else {
                    throw RowFault("something follows a closing quote")
                }
                self.fields.append(try Self.text(content[...]))
            } else {
                let end = line[position...].firstIndex(of: comma) ?? line.endIndex
                self.fields.append(try Self.text(line[position..<end]))
                position = end
            }
            if position == line.count { return }
            position += 1
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) throws(RowFault) -> String {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var bytes = bytes
        while let first = bytes.first, isBlank(first) { bytes.removeFirst() }
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw RowFault("the text is not UTF-8") }
        return text
    }
}

/// What is wrong with a row, in words.
struct RowFault: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
