import Glibc

/// Other programs, whose figures ours are held against.
enum Command {
    /// What a command of the shell prints, to standard error as well.
    static func output(of command: String) throws -> String {
        guard let pipe = popen("\(command) 2>&1", "r") else { throw BenchmarkFailure("cannot run \(command)") }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { output += chunk[..<count] }
        let text = String(decoding: output, as: UTF8.self)
        guard pclose(pipe) == 0 else { throw BenchmarkFailure("\(command) failed: \(text)") }
        return text
    }

    /// The numbers among the words that a command prints, which must be so many.
    static func figures(_ count: Int, of command: String) throws -> [Double] {
        let output = try self.output(of: command)
        let figures = output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard figures.count == count else { throw BenchmarkFailure("\(command) said: \(output)") }
        return figures
    }
}
