import FoundationEssentials
import Testing

/// A command that a page of the documentation tells its reader to type.
struct DocumentedCommand: Sendable, CustomTestStringConvertible {
    /// The page and the line, for messages.
    let place: String
    let words: [String]
    /// Whether it is mentioned within a sentence, where operands may be left out.
    let isMention: Bool

    var testDescription: String { "\(self.place): \(self.words.joined(separator: " "))" }

    /// The folder of the package.
    static let root = #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined()

    /// All of them. What is between the marks of the session is left out: it is made by running it, with a mistake in it.
    static func all() throws -> [DocumentedCommand] {
        let folders = try ["Documentation", "Examples"].flatMap { folder in
            try FileManager.default.subpathsOfDirectory(atPath: "\(self.root)/\(folder)").map { "\(folder)/\($0)" }
        }
        let pages = (["README.md", "CONTRIBUTING.md"] + folders).filter { $0.hasSuffix(".md") }.sorted()
        return try pages.flatMap { page in
            try self.commands(
                in: String(decoding: Data(contentsOf: URL(filePath: "\(self.root)/\(page)")), as: UTF8.self), of: page)
        }
    }

    static func commands(in text: String, of page: String) -> [DocumentedCommand] {
        var commands: [DocumentedCommand] = []
        var fence: Substring?
        var isSession = false
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            func add(_ line: Substring, isMention: Bool) {
                commands += self.simpleCommands(of: line).filter { self.isOurs($0[0]) }.map {
                    DocumentedCommand(place: "\(page):\(number + 1)", words: $0, isMention: isMention)
                }
            }
            let row = line.drop { $0 == " " }
            if line.hasPrefix("<!-- session") { isSession = true }
            if line.hasPrefix("<!-- end of session") { isSession = false }
            if row.hasPrefix("```") {
                fence = fence == nil ? row.dropFirst(3) : nil
            } else if isSession {
                continue
            } else if fence == "sh" {
                add(row, isMention: false)
            } else if fence == "console" {
                if row.hasPrefix("$ ") { add(row.dropFirst(2), isMention: false) }
            } else if fence == nil {
                // Every second piece between backticks is code.
                for (place, piece) in line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                where place % 2 == 1 {
                    add(piece, isMention: true)
                }
            }
        }
        return commands
    }

    private static func isOurs(_ word: String) -> Bool {
        word == "perdure" || word == "swift" || word.hasPrefix("script/")
    }

    /// The commands of a line for a shell, without what comes in and goes out, and without comments.
    private static func simpleCommands(of line: Substring) -> [[String]] {
        var commands: [[String]] = [[]]
        var word: String?
        var quote: Character?
        func endWord() {
            if let ended = word { commands[commands.count - 1].append(ended) }
            word = nil
        }
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word?.append(character) }
                continue
            }
            switch character {
            case "'", "\"":
                quote = character
                word = word ?? ""
            case "#" where word == nil:
                return commands.filter { !$0.isEmpty }
            case " ":
                endWord()
            case "<", ">", "|", "&", ";", "(", ")":
                endWord()
                commands.append([])
            default:
                word = (word ?? "") + String(character)
            }
        }
        endWord()
        return commands.filter { !$0.isEmpty }
    }
}
