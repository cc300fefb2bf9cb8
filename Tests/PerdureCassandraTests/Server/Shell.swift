import Glibc
import PerdureConcurrency

/// Runs a command of the shell on a thread of its own.
enum Shell {
    /// The last line that `command` prints; empty when it fails.
    static func lastLine(of command: String) async throws -> String {
        try await BlockingThread.run(named: "shell") {
            guard let pipe = popen(command, "r") else { return "" }
            var text = ""
            var line = [CChar](repeating: 0, count: 65_536)
            while fgets(&line, CInt(line.count), pipe) != nil {
                let bytes = line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
                text = String(decoding: bytes, as: UTF8.self)
            }
            return pclose(pipe) == 0 ? text : ""
        }
    }

    /// The project's folder.
    static let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")

    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
