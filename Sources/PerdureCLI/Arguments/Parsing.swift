/// What a command line asks for.
enum Request: Sendable {
    case run(Command, Arguments)
    /// The help of the tool, of a group of commands such as `state`, or of one command.
    case help([String])
    case version
}

/// The operands and options of a command line, checked against what the command takes.
struct Arguments: Sendable, Equatable {
    var operands: [String] = []
    /// By the option's name; switches have an empty value.
    var options: [String: String] = [:]

    func has(_ option: String) -> Bool { self.options[option] != nil }
}

/// Reads a command line by the conventions of GNU: options anywhere, `--name value`, `--name=value`, `-n value`, `-nvalue`, letters of
/// switches together, and `--` before operands that begin with a dash.
struct LineParser: Sendable {
    let commands: [Command]

    /// - Throws: ``Misuse`` that says what is wrong and, where it can be told, what was meant.
    func parse(_ line: [String]) throws(Misuse) -> Request {
        var rest = line[...]
        var path: [String] = []
        // Words up to the first that is an option or completes a command.
        var command: Command?
        while command == nil, let word = rest.first, !word.hasPrefix("-") {
            path.append(word)
            rest = rest.dropFirst()
            command = self.commands.first { $0.path == path }
            if command == nil, !self.commands.contains(where: { $0.path.starts(with: path) }) {
                throw self.unknown(path)
            }
        }
        if path.isEmpty, rest.first == "--version" { return .version }
        guard let command else {
            if path.isEmpty || rest.contains(where: { $0 == "--help" || $0 == "-h" }) {
                if let option = rest.first, option != "--help", option != "-h" {
                    throw Misuse("\(option.debugDescription) must come after a command; `perdure --help` lists them")
                }
                return .help(path)
            }
            let next = self.commands.filter { $0.path.starts(with: path) }.map { $0.path[path.count] }
            throw Misuse(
                "`\(path.joined(separator: " "))` needs one of: \(unique(next).joined(separator: ", "))",
                command: path.joined(separator: " "))
        }
        return try self.parse(rest, of: command)
    }

    private func parse(_ rest: ArraySlice<String>, of command: Command) throws(Misuse) -> Request {
        var rest = rest
        var arguments = Arguments()
        let options = command.options + Command.Option.everywhere
        func fail(_ text: String) -> Misuse { Misuse(text, command: command.name) }
        func set(_ option: Command.Option, _ value: String, as typed: String) throws(Misuse) {
            if !option.choices.isEmpty, !option.choices.contains(value) {
                throw fail("\(typed) takes \(option.choices.joined(separator: ", ")); not \(value.debugDescription)")
            }
            guard arguments.options.updateValue(value, forKey: option.name) == nil else {
                throw fail("\(typed) was given twice")
            }
        }
        while let word = rest.popFirst() {
            if word == "--" {
                arguments.operands += rest
                break
            }
            if word.hasPrefix("--") {
                let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let name = String(parts[0])
                guard let option = options.first(where: { $0.name == name }) else {
                    let meant = nearest(to: name, among: options.map(\.name)).map { "; did you mean --\($0)?" } ?? ""
                    throw fail("there is no option --\(name)\(meant)")
                }
                switch (option.value, parts.count) {
                case (nil, 1): try set(option, "", as: "--\(name)")
                case (nil, _): throw fail("--\(name) takes no value")
                case (_, 2): try set(option, String(parts[1]), as: "--\(name)")
                case (let value?, _):
                    guard let next = rest.popFirst() else { throw fail("--\(name) needs a value: \(value)") }
                    try set(option, next, as: "--\(name)")
                }
            } else if word.hasPrefix("-"), word.count > 1 {
                var letters = word.dropFirst()
                while let letter = letters.popFirst() {
                    guard let option = options.first(where: { $0.letter == letter }) else {
                        throw fail("there is no option -\(letter)")
                    }
                    guard let value = option.value else {
                        try set(option, "", as: "-\(letter)")
                        continue
                    }
                    if !letters.isEmpty {
                        try set(option, String(letters), as: "-\(letter)")
                        break
                    }
                    guard let next = rest.popFirst() else { throw fail("-\(letter) needs a value: \(value)") }
                    try set(option, next, as: "-\(letter)")
                }
            } else {
                arguments.operands.append(word)
            }
        }
        if arguments.has("help") { return .help(command.path) }
        let needed = command.operands.prefix { !$0.isOptional }
        if arguments.operands.count < needed.count {
            throw fail(
                "\(needed[arguments.operands.count].name) is missing: \(needed[arguments.operands.count].summary)")
        }
        if arguments.operands.count > command.operands.count {
            let extra = arguments.operands[command.operands.count]
            throw fail("\(extra.debugDescription) is one operand too many")
        }
        return .run(command, arguments)
    }

    private func unknown(_ path: [String]) -> Misuse {
        let known = path.dropLast()
        let word = path.last ?? ""
        let next = unique(
            self.commands.filter { $0.path.starts(with: known) && $0.path.count > known.count }.map {
                $0.path[known.count]
            })
        let meant =
            nearest(to: word, among: next).map { "; did you mean `\((known + [$0]).joined(separator: " "))`?" }
            ?? "; there are: \(next.joined(separator: ", "))"
        return Misuse("there is no command `\(path.joined(separator: " "))`\(meant)")
    }
}

/// The words in the order of their first coming, each once.
func unique(_ words: [String]) -> [String] {
    var seen: Set<String> = []
    return words.filter { seen.insert($0).inserted }
}
