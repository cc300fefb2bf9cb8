internal import PerdureStores

/// The manual page, in the language of man.
struct ManualPage {
    let commands: [Command]
    let version: String

    var text: String {
        var lines = [
            ".TH PERDURE 1 \"\" \"perdure \(self.version)\"", ".SH NAME",
            "perdure \\- look into Perdure's stores, change them, and move what is in them", ".SH SYNOPSIS",
            ".B perdure", "COMMAND [OPTION...] [OPERAND...]", ".SH COMMANDS",
        ]
        for command in self.commands {
            let operands = command.operands.map { $0.isOptional ? " [\($0.name)]" : " \($0.name)" }.joined()
            lines += [".SS \"\(Self.escaped(command.name + operands))\"", Self.escaped(command.summary + ".")]
            if !command.discussion.isEmpty { lines.append(Self.escaped(command.discussion)) }
            for option in command.options { lines += Self.entry(option) }
            for example in command.examples {
                lines += [
                    ".PP", "\\fBExample:\\fR \(Self.escaped(example.summary))", ".nf", Self.escaped(example.line),
                    ".fi",
                ]
            }
        }
        lines += [".SH OPTIONS OF EVERY COMMAND"] + Command.Option.everywhere.flatMap(Self.entry)
        lines += [".SH STORES"]
        for example in StoreURL.examples { lines += [".PP", Self.escaped(example)] }
        lines += [
            ".SH EXIT STATUS", "0 when it is done, 1 when it failed, 2 when it was called wrongly.", ".SH ENVIRONMENT",
            ".TP", ".B PERDURE_STORE", "The store, where --store is not given.", ".TP", ".B NO_COLOR",
            "No colors, whatever its value.",
        ]
        return lines.joined(separator: "\n")
    }

    private static func entry(_ option: Command.Option) -> [String] {
        [".TP", ".B \(self.escaped(HelpText.name(of: option)))", self.escaped(option.summary)]
    }

    /// A line that begins with a dot or a quote is a request; a dash is a hyphen unless escaped.
    private static func escaped(_ text: String) -> String {
        let escaped = text.flatMap { $0 == "\\" ? "\\e" : $0 == "-" ? "\\-" : String($0) }
        return escaped.first == "." || escaped.first == "'" ? "\\&" + String(escaped) : String(escaped)
    }
}
