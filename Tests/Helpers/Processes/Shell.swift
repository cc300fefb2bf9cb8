internal import Glibc
internal import PerdureConcurrency

/// Commands of the shell, and where things are.
package enum Shell {
    /// What a command said, and how it ended.
    package struct Outcome: Sendable {
        /// The wait status: 0 where it succeeded.
        package var status: CInt
        package var output: String

        /// The lines of what it said; none where it failed.
        package var lines: [String] {
            self.status == 0 ? self.output.split(separator: "\n").map(String.init) : []
        }
    }

    /// Runs a command on a thread of its own. What it writes to standard error goes where ours goes, unless it says otherwise.
    package static func run(_ command: String) async throws -> Outcome {
        try await BlockingThread.run(named: "shell") { self.runHere(command) }
    }

    /// Runs a command on the calling thread, which waits for it.
    package static func runHere(_ command: String) -> Outcome {
        guard let pipe = popen(command, "r") else { return Outcome(status: -1, output: "") }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { output += chunk[..<count] }
        return Outcome(status: pclose(pipe), output: String(decoding: output, as: UTF8.self))
    }

    /// The last line that a command prints; empty where it fails.
    package static func lastLine(of command: String) async throws -> String {
        try await self.run(command).lines.last ?? ""
    }

    /// The programs that a script beside the tests finds or installs, which says `NAME=PATH` for each; waits for it.
    ///
    /// `script` is a path in `Tests/Interop`, with its options.
    package static func programs(preparedBy script: String) -> [String: String] {
        var programs: [String: String] = [:]
        for line in self.runHere("cd '\(self.root)/Tests/Interop' && ./\(script)").output.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { programs[String(parts[0])] = String(parts[1]) }
        }
        return programs
    }

    /// The project's folder.
    package static let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")

    /// A variable of the environment.
    package static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
