import Testing

@testable import PerdureCLI

@Suite("What the tool says about itself")
struct HelpTests {
    @Test("every command says what it does, and shows an example of itself", arguments: Tool.commands.map(\.name))
    func commands(_ name: String) throws {
        let command = try #require(Tool.commands.first { $0.name == name })
        #expect(!command.summary.isEmpty && !command.summary.hasSuffix("."))
        #expect(!command.examples.isEmpty)
        #expect(command.examples.allSatisfy { $0.line.contains("perdure \(name)") })
        let help = HelpText(commands: Tool.commands).text(for: command.path)
        for option in command.options { #expect(help.contains("--\(option.name)")) }
        for operand in command.operands { #expect(help.contains(operand.name)) }
        let names = (command.options + Command.Option.everywhere).map(\.name)
        #expect(Set(names).count == names.count, "two options of one name")
    }

    @Test("scripts and the manual page name every command and option")
    func scripts() {
        let completion = Completion(commands: Tool.commands)
        let manual = ManualPage(commands: Tool.commands, version: "1").text
        for command in Tool.commands {
            #expect(completion.bash.contains("\"\(command.name)\")"))
            #expect(manual.contains(".SS \"\(command.name)"))
            for option in command.options {
                #expect(completion.bash.contains("--\(option.name)"))
                #expect(completion.fish.contains("-l \(option.name)"))
            }
        }
        #expect(!manual.split(separator: "\n").contains { $0.hasPrefix("'") })
    }

    @Test("the scripts are ones that the shells can read")
    func bash() async throws {
        try await withFolder { folder in
            let script = try await ToolProcess.run(["completion", "bash"], in: folder)
            #expect(script.status == 0 && script.errors == "")
            #expect(script.output == Completion(commands: Tool.commands).bash + "\n")
            let unknown = try await ToolProcess.run(["completion", "tcsh"], in: folder)
            #expect(unknown.status == 2)
            #expect(unknown.errors.hasPrefix("perdure: there are scripts for bash, zsh and fish; not for \"tcsh\"\n"))
        }
    }
}
