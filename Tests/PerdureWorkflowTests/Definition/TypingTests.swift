import Glibc
import Processes
import Testing

@Suite("What compiles and what does not")
struct TypingTests {
    @Test("parts that do not fit are refused by the compiler, where they are, and nothing else is")
    func programs() async throws {
        let folder = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Programs"
        let (refused, accepted) = ("\(folder)/Refused.swift", "\(folder)/Accepted.swift")
        let errors = try await Compiler.errors(in: [refused, accepted])
        #expect(errors.filter { $0.file == accepted } == [])
        let expected = try Self.expectations(in: refused)
        #expect(expected.count == 24)
        for expectation in expected where !errors.contains(where: { $0.file == refused && expectation.isMet(by: $0) }) {
            let said = errors.filter { $0.file == refused && $0.line == expectation.line }.map(\.text)
            Issue.record("line \(expectation.line): expected \(expectation.text.debugDescription), but it says \(said)")
        }
        for error in errors where error.file == refused {
            // What the compiler cannot know behind the first mistake is none of its own.
            let isConsequence = error.text.contains("could not be inferred")
            if !isConsequence && !expected.contains(where: { $0.line == error.line }) {
                Issue.record("line \(error.line) is refused and should not: \(error.text)")
            }
        }
    }

    /// What an error must say, and in which line.
    private struct Expectation {
        let line: Int
        let text: String

        func isMet(by error: Compiler.Diagnostic) -> Bool { error.line == self.line && error.text.contains(self.text) }
    }

    private static func expectations(in file: String) throws -> [Expectation] {
        let mark = "// refused: "
        return try Compiler.lines(of: file).enumerated().compactMap { index, line in
            let text = line.drop { $0 == " " }
            guard text.hasPrefix(mark) else { return nil }
            // The line after the comment; lines count from 1.
            return Expectation(line: index + 2, text: String(text.dropFirst(mark.count)))
        }
    }
}

/// The compiler that built the tests, and the modules that it built.
private enum Compiler {
    struct Diagnostic: Equatable {
        let file: String
        let line: Int
        let text: String
    }

    struct Failure: Error { let text: String }

    /// All errors in files that are checked together, in one call.
    static func errors(in files: [String]) async throws -> [Diagnostic] {
        let command =
            "swiftc -typecheck -swift-version 6 -I '\(self.modules)' '\(files.joined(separator: "' '"))' 2>&1"
        let output = try await Shell.run(command).output.split(separator: "\n").map(String.init)
        if output.isEmpty { throw Failure(text: "the compiler did not run: \(command)") }
        let errors = output.compactMap { line -> Diagnostic? in
            guard let mark = line.firstRange(of: ": error: ") else { return nil }
            let place = line[..<mark.lowerBound].split(separator: ":")
            guard place.count == 3, let number = Int(place[1]) else { return nil }
            return Diagnostic(file: String(place[0]), line: number, text: String(line[mark.upperBound...]))
        }
        if errors.isEmpty { throw Failure(text: output.joined(separator: "\n")) }
        return errors
    }

    static func lines(of file: String) throws -> [String] {
        guard let stream = fopen(file, "r") else { throw Failure(text: "\(file) cannot be read") }
        defer { fclose(stream) }
        var lines: [String] = []
        var buffer = [CChar](repeating: 0, count: 65_536)
        while fgets(&buffer, CInt(buffer.count), stream) != nil {
            let bytes = buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
            lines.append(String(decoding: bytes, as: UTF8.self))
        }
        return lines
    }

    /// Beside the program that runs the tests.
    private static var modules: String { RunningProcess.folder + "/Modules" }
}
