/// A table of the aircraft that flew most.
struct BusiestTable: CustomStringConvertible {
    let logbooks: [String: Logbook]
    var count = 15

    var description: String {
        let busiest = self.logbooks.sorted {
            ($1.value.flights, $1.value.airTime, $0.key) < ($0.value.flights, $0.value.airTime, $1.key)
        }
        guard !busiest.isEmpty else { return "No aircraft flew." }
        let rows = busiest.prefix(self.count).map { Self.cells(tailNumber: $0.key, $0.value) }
        let title = [
            "aircraft", "flights", "cancelled", "diverted", "miles", "in the air", "late on average", "stands at",
        ]
        let table = TextTable(title: title, leftAligned: [0, 7], rows: Array(rows))
        return "The busiest of \(busiest.count.grouped) aircraft\n\n\(table)"
    }

    private static func cells(tailNumber: String, _ logbook: Logbook) -> [String] {
        let hours =
            "\((logbook.airTime / 60).grouped) h \(logbook.airTime % 60 < 10 ? "0" : "")\(logbook.airTime % 60) min"
        let late = logbook.flights == 0 ? "" : "\(Self.rounded(logbook.delay, by: logbook.flights)) min"
        return [
            tailNumber, logbook.flights.grouped, logbook.cancelled.grouped, logbook.diverted.grouped,
            logbook.distance.grouped, hours, late, Self.words(logbook.position),
        ]
    }

    private static func words(_ position: Logbook.Position?) -> String {
        guard let position else { return "not known: it never left" }
        return position.isReached ? position.airport : "diverted on the way to \(position.airport)"
    }

    /// A quotient, rounded to the nearest whole number.
    static func rounded(_ value: Int, by count: Int) -> Int {
        Int((Double(value) / Double(count)).rounded())
    }
}

/// Cells in columns.
struct TextTable: CustomStringConvertible {
    let title: [String]
    /// The columns whose cells begin at the left; numbers end at the right.
    let leftAligned: Set<Int>
    let rows: [[String]]

    var description: String {
        let widths = self.title.indices.map { column in
            ([self.title] + self.rows).map { $0[column].count }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - cells[column].count)
                return self.leftAligned.contains(column) ? cells[column] + space : space + cells[column]
            }
            return "  " + Self.trimmed(padded.joined(separator: "  "))
        }
        let rule = "  " + widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
        return ([line(self.title), rule] + self.rows.map(line)).joined(separator: "\n")
    }

    private static func trimmed(_ text: String) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        return text
    }
}

extension Int {
    /// The number with a comma before every three digits.
    var grouped: String {
        var digits = String(self.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (self < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}
