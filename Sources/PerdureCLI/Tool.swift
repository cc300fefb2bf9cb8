internal import Glibc
internal import PerdureModel
internal import PerdureWorkflow

/// The `perdure` tool: reads the command line, does what it asks for, and says how it ended.
public enum Tool {
    /// The release, as `--version` prints it.
    public static let version = "0.1.0"

    /// Every command, in the order in which help lists them.
    static let commands: [Command] = StateCommands.all + RunCommands.all + StoreCommands.all + SelfCommands.all

    /// Carries out a command line, given without the program's name.
    ///
    /// - Returns: what the process should end with: 0 done, 1 failed, 2 misuse.
    public static func run(_ line: [String]) async -> Int32 {
        // Sockets may break at any time; whoever writes to one looks at the result.
        signal(SIGPIPE, SIG_IGN)
        return await self.carryOut(line).rawValue
    }

    private static func carryOut(_ line: [String]) async -> ExitCode {
        let request: Request
        do throws(Misuse) {
            request = try LineParser(commands: self.commands).parse(line)
        } catch {
            return self.complain(error)
        }
        switch request {
        case .version:
            return self.print("perdure \(self.version)")
        case .help(let path):
            return self.print(HelpText(commands: self.commands).text(for: path))
        case .run(let command, let arguments):
            let output = Output(isJSON: arguments.has("json"), color: arguments.options["color"] ?? "auto")
            let invocation = Invocation(command: command, arguments: arguments, output: output)
            let code: ExitCode
            do {
                code = try await command.run(invocation)
            } catch let misuse as Misuse {
                output.flush()
                return self.complain(Misuse(misuse.description, command: misuse.command ?? command.name))
            } catch {
                output.flush()
                return self.report(error)
            }
            output.flush()
            return code
        }
    }

    private static func print(_ text: String) -> ExitCode {
        let output = Output(isJSON: false, color: "never")
        output.line(text)
        output.flush()
        return .done
    }

    private static func complain(_ misuse: Misuse) -> ExitCode {
        Output.note("perdure: \(misuse.description)")
        let command = misuse.command.map { "perdure \($0) --help" } ?? "perdure --help"
        Output.note("`\(command)` says what there is.")
        return .misuse
    }

    /// What failed, for the person at the terminal: it is their service, so the message may name IDs.
    private static func report(_ error: any Error) -> ExitCode {
        switch error {
        case StoreError.Code.cancelled: Output.note("perdure: interrupted")
        case let error as WorkflowError: Output.note("perdure: \(error.code.rawValue): \(error.message)".visible)
        case let error as StoreError: Output.note("perdure: \(error): \(error.message)")
        case let error as PayloadError: Output.note("perdure: \(error): \(error.message)")
        case is CancellationError: Output.note("perdure: interrupted")
        default: Output.note("perdure: \(error)")
        }
        return .failed
    }
}
