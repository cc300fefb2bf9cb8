/// Scripts that let shells complete commands and options.
struct Completion {
    let commands: [Command]

    private func options(of command: Command) -> [Command.Option] { command.options + Command.Option.everywhere }

    /// The words that may follow each beginning of a command.
    private var followers: [(path: [String], words: [String])] {
        var beginnings: [[String]] = [[]]
        for command in self.commands {
            for count in 1..<max(command.path.count, 1) {
                let beginning = Array(command.path.prefix(count))
                if !beginnings.contains(beginning) { beginnings.append(beginning) }
            }
        }
        return beginnings.map { beginning in
            (
                beginning,
                unique(
                    self.commands.filter { $0.path.starts(with: beginning) && $0.path.count > beginning.count }
                        .map { $0.path[beginning.count] })
            )
        }
    }

    var bash: String {
        var cases: [String] = []
        for (path, words) in self.followers {
            cases.append("        \"\(path.joined(separator: " "))\") words=\"\(words.joined(separator: " "))\" ;;")
        }
        for command in self.commands {
            let words = self.options(of: command).map { "--\($0.name)" }.joined(separator: " ")
            cases.append("        \"\(command.name)\") words=\"\(words)\" ;;")
        }
        return """
            # Completion of perdure for bash: source <(perdure completion bash)
            _perdure() {
                local path="" word words=""
                for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                    case $word in -*) break ;; *) path="${path:+$path }$word" ;; esac
                done
                case $path in
            \(cases.joined(separator: "\n"))
                    *) [ "${COMP_WORDS[COMP_CWORD]:0:1}" = - ] || { COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")); return; } ;;
                esac
                COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -F _perdure perdure
            """
    }

    var zsh: String {
        """
        #compdef perdure
        # Completion of perdure for zsh, by way of the one for bash.
        autoload -U +X bashcompinit && bashcompinit
        \(self.bash)
        """
    }

    var fish: String {
        var lines = ["# Completion of perdure for fish.", "complete -c perdure -f"]
        for command in self.commands {
            let before = command.path.dropLast()
            let condition =
                before.isEmpty
                ? "__fish_use_subcommand"
                : before.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
            lines.append(
                "complete -c perdure -n '\(condition)' -a \(command.path.last ?? "") -d '\(Self.quoted(command.summary))'"
            )
            let inside = command.path.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
            for option in command.options {
                var line = "complete -c perdure -n '\(inside)' -l \(option.name)"
                if let letter = option.letter { line += " -s \(letter)" }
                if option.value != nil { line += " -r" }
                lines.append(line + " -d '\(Self.quoted(option.summary))'")
            }
        }
        for group in unique(self.commands.filter { $0.path.count > 1 }.map { $0.path[0] }) {
            lines.append("complete -c perdure -n '__fish_use_subcommand' -a \(group)")
        }
        for option in Command.Option.everywhere {
            lines.append("complete -c perdure -l \(option.name) -d '\(Self.quoted(option.summary))'")
        }
        return lines.joined(separator: "\n")
    }

    private static func quoted(_ text: String) -> String {
        text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "\\'")
    }
}
