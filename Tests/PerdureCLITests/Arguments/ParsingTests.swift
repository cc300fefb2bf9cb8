import Testing

@testable import PerdureCLI

@Suite("Command lines")
struct ParsingTests {
    private let parser = LineParser(commands: Tool.commands)

    private func arguments(_ line: String...) throws -> Arguments {
        guard case .run(_, let arguments) = try self.parser.parse(line) else {
            throw Misuse("no command was recognized")
        }
        return arguments
    }

    private func misuse(_ line: String...) -> String? {
        do throws(Misuse) {
            _ = try self.parser.parse(line)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("options stand anywhere, in every spelling")
    func options() throws {
        let expected = Arguments(operands: ["ada"], options: ["store": "sqlite:b", "raw": ""])
        #expect(try self.arguments("state", "get", "ada", "--store", "sqlite:b", "--raw") == expected)
        #expect(try self.arguments("state", "get", "--raw", "--store=sqlite:b", "ada") == expected)
        #expect(try self.arguments("state", "get", "-s", "sqlite:b", "ada", "--raw") == expected)
        #expect(try self.arguments("state", "get", "-ssqlite:b", "--raw", "ada") == expected)
    }

    @Test("what comes after -- is an operand, and so is a lone dash")
    func operands() throws {
        #expect(try self.arguments("state", "get", "--", "--raw").operands == ["--raw"])
        #expect(try self.arguments("state", "put", "ada", "-").operands == ["ada", "-"])
        #expect(try self.arguments("state", "get", "").operands == [""])
        #expect(try self.arguments("state", "list", "--prefix=").options["prefix"] == "")
    }

    @Test("help and version are found wherever they are asked for")
    func help() throws {
        func path(_ line: String...) throws -> [String]? {
            if case .help(let path) = try self.parser.parse(line) { path } else { nil }
        }
        #expect(try path() == [])
        #expect(try path("--help") == [])
        #expect(try path("-h") == [])
        #expect(try path("state", "--help") == ["state"])
        #expect(try path("state", "get", "--help") == ["state", "get"])
        #expect(try path("state", "get", "-h", "ada") == ["state", "get"])
        guard case .version = try self.parser.parse(["--version"]) else {
            Issue.record("--version was not recognized")
            return
        }
    }

    @Test("what is wrong is said, and what was meant")
    func mistakes() {
        #expect(self.misuse("stat", "get") == "there is no command `stat`; did you mean `state`?")
        #expect(self.misuse("state", "gte") == "there is no command `state gte`; did you mean `state get`?")
        #expect(self.misuse("state", "get") == "ID is missing: the persistence ID")
        #expect(self.misuse("state", "get", "a", "b") == "\"b\" is one operand too many")
        #expect(self.misuse("state", "get", "a", "--rwa") == "there is no option --rwa; did you mean --raw?")
        #expect(self.misuse("state", "get", "a", "-x") == "there is no option -x")
        #expect(self.misuse("state", "get", "a", "--raw=1") == "--raw takes no value")
        #expect(self.misuse("state", "get", "a", "--store") == "--store needs a value: URL")
        #expect(self.misuse("state", "get", "a", "--raw", "--raw") == "--raw was given twice")
        #expect(
            self.misuse("state", "get", "a", "--color", "red") == "--color takes auto, always, never; not \"red\"")
        #expect(
            self.misuse("--store", "x", "state", "get", "a")
                == "\"--store\" must come after a command; `perdure --help` lists them")
    }

    @Test("noise is refused, never a trap")
    func noise() {
        let words = [
            "", "-", "--", "---", "-=", "--=", "--=x", "--store=", "state", "get", "ada", "-s", "é", "\u{0}", "-é",
        ]
        var seed: UInt64 = 7
        for _ in 0..<20_000 {
            var line: [String] = []
            for _ in 0..<5 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                line.append(words[Int(seed >> 33) % words.count])
            }
            _ = try? self.parser.parse(line)
        }
        #expect(self.misuse("\u{0}")?.isEmpty == false)
    }
}
