import FoundationEssentials
import Glibc
import PerdureConcurrency
import Processes

/// A run of the tool as a process: what it wrote, and how it ended.
struct ToolProcess: Sendable {
    var output: String
    var errors: String
    /// With what it ended by itself; nil when a signal ended it.
    var status: Int32?

    struct Failure: Error {
        let code: Int32
    }

    /// Runs the tool in `folder`, with `input` as its standard input and nothing in its environment but `environment`.
    static func run(
        _ arguments: [String], in folder: String, input: String = "", environment: [String: String] = [:]
    ) async throws -> ToolProcess {
        try await BlockingThread.run(named: "tool") {
            Result { try Self.runHere(Self.executable, arguments, folder, input, environment) }
        }.get()
    }

    /// Runs a line of bash, in which the tool is `$perdure`.
    static func shell(
        _ line: String, in folder: String, environment: [String: String] = [:]
    ) async throws -> ToolProcess {
        var environment = environment
        environment["perdure"] = Self.executable
        environment["PATH"] = "/usr/bin:/bin"
        return try await BlockingThread.run(named: "tool") { [environment] in
            Result { try Self.runHere("/bin/bash", ["-c", line], folder, "", environment) }
        }.get()
    }

    private static func runHere(
        _ path: String, _ arguments: [String], _ folder: String, _ input: String, _ environment: [String: String]
    ) throws -> ToolProcess {
        let name = UUID().uuidString
        let files = ["in", "out", "err"].map { "\(folder)/\(name).\($0)" }
        defer { for file in files { unlink(file) } }
        try Data(input.utf8).write(to: URL(filePath: files[0]))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, files[0], O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, files[1], O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, files[2], O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addchdir_np(&actions, folder)
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var process = pid_t()
        let code = posix_spawn(&process, path, &actions, nil, &words, &variables)
        guard code == 0 else { throw Failure(code: code) }
        var end: Int32 = 0
        while waitpid(process, &end, 0) < 0, errno == EINTR {}
        func text(_ file: String) throws -> String {
            String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
        }
        return ToolProcess(
            output: try text(files[1]), errors: try text(files[2]),
            status: end & 0x7f == 0 ? (end >> 8) & 0xff : nil)
    }

    /// The tool lies beside the test program.
    static var executable: String { RunningProcess.folder + "/perdure" }
}

/// Runs `body` with a folder of its own, and removes the folder afterwards.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.path + "/perdure-cli-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}
