import FoundationEssentials
import Glibc
import Testing

@testable import PerdureCLI

@Suite("Commands in the documentation")
struct DocumentedCommandTests {
    @Test("are ones that the tool takes")
    func tool() throws {
        let parser = LineParser(commands: Tool.commands)
        let lines = try DocumentedCommand.all().compactMap { command -> (DocumentedCommand, [String])? in
            Self.toolLine(of: command.words).map { (command, $0) }
        }
        #expect(lines.count > 60, "the pages have more of them than that")
        for (command, line) in lines where line.first != "COMMAND" {
            do throws(Misuse) {
                _ = try parser.parse(command.isMention ? line + ["--help"] : line)
            } catch {
                Issue.record("\(command.testDescription): \(error.description)")
            }
        }
    }

    @Test("are scripts and programs that there are, with options that they know")
    func scripts() throws {
        let commands = try DocumentedCommand.all().filter { Self.toolLine(of: $0.words) == nil }
        #expect(commands.count > 20, "the pages have more of them than that")
        for command in commands {
            if let wrong = try Self.complaint(about: command.words) {
                Issue.record("\(command.testDescription): \(wrong)")
            }
        }
    }

    @Test("are found in blocks, in sentences, and in what shells substitute; nothing else is taken for one")
    func finding() {
        let page = """
            Say `perdure run list` or `source <(perdure completion bash)`; `perdure_schema` is a table.
            ```sh
            X=1 # perdure not
            perdure state put 'a b' < in.json > out; perdure run stats   # perdure neither
            ```
            ```text
            perdure is not typed here
            ```
              ```console
              $ swift run perdure store ping
              perdure says this
              ```
            <!-- session -->
            `perdure nonsense`
            <!-- end of session -->
            """
        let found = DocumentedCommand.commands(in: page, of: "page.md")
        #expect(
            found.map(\.testDescription) == [
                "page.md:1: perdure run list", "page.md:1: perdure completion bash", "page.md:4: perdure state put a b",
                "page.md:4: perdure run stats", "page.md:10: swift run perdure store ping",
            ])
        #expect(found.map(\.isMention) == [true, true, false, false, false])
        #expect(found.map(\.words.count) == [3, 3, 4, 3, 5])
    }

    @Test("are refused when they are wrong")
    func refusing() throws {
        #expect(try Self.complaint(about: ["script/tset"]) != nil)
        #expect(try Self.complaint(about: ["script/test", "--fliter", "X"]) != nil)
        #expect(try Self.complaint(about: ["swift", "run", "Bnak"]) != nil)
        #expect(try Self.complaint(about: ["swift", "run", "-c", "release", "Bank", "--anything"]) == nil)
        #expect(Self.toolLine(of: ["swift", "run", "perdure", "run", "list"]) == ["run", "list"])
    }

    /// What the tool is told, when the command is one of the tool's.
    private static func toolLine(of words: [String]) -> [String]? {
        if words.first == "perdure" { return Array(words.dropFirst()) }
        return self.program(of: words).flatMap { $0.first == "perdure" ? Array($0.dropFirst()) : nil }
    }

    /// What `swift run` runs, and what it is told.
    private static func program(of words: [String]) -> ArraySlice<String>? {
        guard words.starts(with: ["swift", "run"]) else { return nil }
        let rest = words.dropFirst(2)
        return rest.starts(with: ["-c", "release"]) ? rest.dropFirst(2) : rest
    }

    /// What is wrong with a command that is not the tool's.
    private static func complaint(about words: [String]) throws -> String? {
        if let program = self.program(of: words)?.first {
            let places = ["Snippets/\(program).swift", "Examples/\(program)"].map { "\(DocumentedCommand.root)/\($0)" }
            return places.contains { access($0, F_OK) == 0 } ? nil : "no such program"
        }
        guard words[0].hasPrefix("script/") else { return nil }
        let path = "\(DocumentedCommand.root)/\(words[0])"
        guard access(path, X_OK) == 0 else { return "no such script" }
        var texts = [path]
        // It hands its options on.
        if words[0] == "script/bench" { texts.append("\(DocumentedCommand.root)/Benchmarks/PerdureBench/main.swift") }
        let text = try texts.map { try String(decoding: Data(contentsOf: URL(filePath: $0)), as: UTF8.self) }.joined()
        return words.first { $0.hasPrefix("--") && !text.contains($0) }.map { "\($0) is unknown to the script" }
    }
}
