/// One command of the tool: what it is called, what it takes, and what it does.
///
/// Help, completion scripts and the manual page are made from these values, so they cannot say anything else than the parser does.
struct Command: Sendable {
    /// The words that call it, such as `state get`.
    let path: [String]
    /// What it does, in one line without a full stop.
    let summary: String
    /// More about it, in sentences.
    let discussion: String
    let operands: [Operand]
    /// The options of this command; ``Option/everywhere`` comes on top.
    let options: [Option]
    let examples: [Example]
    let run: @Sendable (Invocation) async throws -> ExitCode

    init(
        _ path: String, _ summary: String, discussion: String = "", operands: [Operand] = [], options: [Option] = [],
        examples: [Example], run: @escaping @Sendable (Invocation) async throws -> ExitCode
    ) {
        self.path = path.split(separator: " ").map(String.init)
        self.summary = summary
        self.discussion = discussion
        self.operands = operands
        self.options = options
        self.examples = examples
        self.run = run
    }

    /// The words that call it, as they are typed.
    var name: String { self.path.joined(separator: " ") }

    /// What the command takes at its place in the line.
    struct Operand: Sendable {
        let name: String
        let summary: String
        /// Whether it may be left out; only the last may.
        let isOptional: Bool

        init(_ name: String, _ summary: String, isOptional: Bool = false) {
            self.name = name
            self.summary = summary
            self.isOptional = isOptional
        }
    }

    /// What is given by name.
    struct Option: Sendable {
        /// The name without dashes.
        let name: String
        let letter: Character?
        /// What its value is called in help; nil for a switch.
        let value: String?
        let summary: String
        /// The values that there are; empty for any.
        let choices: [String]

        init(
            _ name: String, letter: Character? = nil, value: String? = nil, _ summary: String, choices: [String] = []
        ) {
            self.name = name
            self.letter = letter
            self.value = value ?? (choices.isEmpty ? nil : choices.joined(separator: "|"))
            self.summary = summary
            self.choices = choices
        }

        /// What every command takes.
        static let everywhere: [Option] = [
            Option("store", letter: "s", value: "URL", "the store; else the environment variable PERDURE_STORE"),
            Option("json", "print JSON, an object a line, for programs"),
            Option("color", "whether to use colors", choices: ["auto", "always", "never"]),
            Option("help", letter: "h", "print help and end"),
        ]
    }

    struct Example: Sendable {
        let line: String
        let summary: String

        init(_ line: String, _ summary: String) {
            self.line = line
            self.summary = summary
        }
    }
}

/// How the tool ends, as a shell sees it.
enum ExitCode: Int32, Sendable {
    case done = 0
    case failed = 1
    case misuse = 2
}
