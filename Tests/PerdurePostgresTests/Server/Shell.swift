import Glibc
import PerdureConcurrency

/// Runs a command of the shell on a thread of its own.
enum Shell {
    /// The lines that `command` prints; none when it fails.
    static func lines(of command: String) async throws -> [String] {
        try await BlockingThread.run(named: "shell") {
            guard let pipe = popen(command, "r") else { return [] }
            var output: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { output += chunk[..<count] }
            guard pclose(pipe) == 0 else { return [] }
            return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    /// The last line that `command` prints; empty when it fails.
    static func lastLine(of command: String) async throws -> String { try await Self.lines(of: command).last ?? "" }

    /// A program of ours, which lies beside the test program.
    static func program(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/" + name
    }

    /// The project's folder.
    static let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")

    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
