/// Rows whose columns stand below each other.
struct TextTable: Sendable {
    private var rows: [[String]]

    init(_ head: String...) { self.rows = [head] }

    mutating func add(_ row: String...) { self.rows.append(row) }

    /// The lines; the last column is not padded.
    var lines: [String] {
        let columns = self.rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            self.rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return self.rows.map { row in
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell.padded(to: widths[column])
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - self.count)) }

    /// On one line, with control characters as their numbers: what others stored must not steer a terminal.
    var visible: String {
        guard self.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return self }
        return self.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control
                ? "<U+\(String(scalar.value, radix: 16, uppercase: true))>" : String(scalar)
        }.joined()
    }
}
