internal import PerdureStores

/// What `--help` prints, made of the commands' own values.
struct HelpText: Sendable {
    let commands: [Command]

    /// The help of the whole tool, of a group of commands, or of one.
    func text(for path: [String]) -> String {
        if let command = self.commands.first(where: { $0.path == path }) { return self.text(of: command) }
        let chosen = self.commands.filter { $0.path.starts(with: path) }
        var lines: [String] = []
        if path.isEmpty {
            lines += [
                "Looks into Perdure's stores, changes them, and moves what is in them.", "",
                "Usage: perdure COMMAND [OPTION...] [OPERAND...]", "       perdure COMMAND --help", "",
            ]
        } else {
            lines += ["Usage: perdure \(path.joined(separator: " ")) COMMAND [OPTION...] [OPERAND...]", ""]
        }
        lines += ["Commands:"] + Self.columns(chosen.map { ($0.name, $0.summary) })
        lines += ["", "Everywhere:"] + Self.columns(Command.Option.everywhere.map { (Self.name(of: $0), $0.summary) })
        lines +=
            [
                "", "A store is named by a URL, such as:", "",
            ] + StoreURL.examples.map { "  \($0)" }
        lines += ["", "Ends with 0 when it is done, 1 when it failed, 2 when it was called wrongly."]
        return lines.joined(separator: "\n")
    }

    private func text(of command: Command) -> String {
        var usage = "Usage: perdure \(command.name)"
        if !command.options.isEmpty { usage += " [OPTION...]" }
        for operand in command.operands { usage += operand.isOptional ? " [\(operand.name)]" : " \(operand.name)" }
        var lines = [usage, "", "\(command.summary)."]
        if !command.discussion.isEmpty { lines += ["", command.discussion] }
        if !command.operands.isEmpty {
            lines += ["", "Operands:"] + Self.columns(command.operands.map { ($0.name, $0.summary) })
        }
        let options = command.options + Command.Option.everywhere
        lines += ["", "Options:"] + Self.columns(options.map { (Self.name(of: $0), $0.summary) })
        lines += ["", "Examples:"]
        for example in command.examples { lines += ["  \(example.line)", "      \(example.summary)"] }
        return lines.joined(separator: "\n")
    }

    static func name(of option: Command.Option) -> String {
        let letter = option.letter.map { "-\($0), " } ?? "    "
        return "\(letter)--\(option.name)" + (option.value.map { " \($0)" } ?? "")
    }

    private static func columns(_ rows: [(String, String)]) -> [String] {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { row in
            "  \(row.0)" + String(repeating: " ", count: width - row.0.count) + "  \(row.1)"
        }
    }
}
