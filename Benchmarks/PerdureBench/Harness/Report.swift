import Foundation

/// How figures are shown: a table for people, a line each for programs.
enum Report {
    static let header = row("name", "value", "unit", "baseline", "ratio", "spread", "held against")

    static func line(_ figure: Figure) -> String {
        row(
            figure.benchmark.name, number(figure.value), figure.benchmark.unit,
            figure.baselineValue.map(number) ?? "–", figure.ratio.map { String(format: "%.2f", $0) } ?? "–",
            String(format: "%.0f %%", figure.spread * 100), figure.benchmark.baselineName ?? "–")
    }

    static func json(_ figure: Figure) throws -> String {
        var object: [String: Any] = [
            "name": figure.benchmark.name, "value": figure.value, "unit": figure.benchmark.unit,
            "spread": figure.spread,
        ]
        object["baseline"] = figure.benchmark.baselineName ?? NSNull()
        object["baseline_value"] = figure.baselineValue ?? NSNull()
        object["ratio"] = figure.ratio ?? NSNull()
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
        return String(decoding: data, as: UTF8.self)
    }

    /// Thousands in groups; small figures with two decimals.
    private static func number(_ value: Double) -> String {
        if value < 100 { return String(format: "%.2f", value) }
        var digits = String(Int(value.rounded()))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(" ", at: digits.index(digits.startIndex, offsetBy: place))
            place -= 3
        }
        return digits
    }

    private static func row(
        _ name: String, _ value: String, _ unit: String, _ baseline: String, _ ratio: String, _ spread: String,
        _ against: String
    ) -> String {
        func left(_ text: String, _ width: Int) -> String { text + pad(text, width) }
        func right(_ text: String, _ width: Int) -> String { pad(text, width) + text }
        func pad(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) }
        return left(name, 27) + right(value, 11) + "  " + left(unit, 18) + right(baseline, 11) + right(ratio, 7)
            + right(spread, 8) + "  " + against
    }
}
