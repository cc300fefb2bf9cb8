/// What the tool says about itself.
enum SelfCommands {
    static let all: [Command] = [completion, manual]

    static let completion = Command(
        "completion", "Prints a completion script for a shell",
        operands: [.init("SHELL", "bash, zsh or fish")],
        examples: [
            .init("source <(perdure completion bash)", "completion in this shell"),
            .init("perdure completion fish > ~/.config/fish/completions/perdure.fish", "completion in every fish"),
        ]
    ) { call in
        let script = Completion(commands: Tool.commands)
        switch call.operand(0) {
        case "bash": call.output.line(script.bash)
        case "zsh": call.output.line(script.zsh)
        case "fish": call.output.line(script.fish)
        case let shell:
            throw Misuse("there are scripts for bash, zsh and fish; not for \((shell ?? "").debugDescription)")
        }
        return .done
    }

    static let manual = Command(
        "manual", "Prints the manual page, for man",
        examples: [.init("perdure manual > perdure.1 && man ./perdure.1", "the page")]
    ) { call in
        call.output.line(ManualPage(commands: Tool.commands, version: Tool.version).text)
        return .done
    }
}
