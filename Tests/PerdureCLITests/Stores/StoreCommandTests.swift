import FoundationEssentials
import Testing

@Suite("Commands on stores, as processes")
struct StoreCommandTests {
    @Test(
        "what is wrong with a URL is said",
        arguments: [
            ("bank", "\"bank\" is no store URL; such as sqlite:bank.sqlite"),
            ("sqlte:bank", "there is no store for sqlte: URLs; did you mean sqlite:?"),
            ("sqlite:", "sqlite: needs the path of a file"),
            (
                "sqlite:none.sqlite",
                "there is no file \"none.sqlite\"; `perdure store setup --store sqlite:none.sqlite` makes one"
            ),
            ("memory:", "what is in memory does not outlive the process"),
        ])
    func urls(_ url: String, _ expected: String) async throws {
        try await withFolder { folder in
            let result = try await ToolProcess.run(["state", "list", "--store", url], in: folder)
            #expect(result.status == 2 && result.output == "")
            #expect(result.errors.hasPrefix("perdure: \(expected)"), "\(result.errors)")
        }
    }

    @Test("without a store the tool says how to name one")
    func noStore() async throws {
        try await withFolder { folder in
            let result = try await ToolProcess.run(["store", "ping"], in: folder)
            #expect(result.status == 2 && result.errors.hasPrefix("perdure: which store? Give --store URL"))
        }
    }

    @Test("a server that is not there is a failure, and the password is not in it")
    func unreachable() async throws {
        try await withFolder { folder in
            let url = "postgres://ada:secret@127.0.0.1:1/bank?connect_timeout=2"
            let result = try await ToolProcess.run(["store", "ping", "--store", url], in: folder)
            #expect(result.status == 1 && result.output == "")
            #expect(result.errors.hasPrefix("perdure: ") && !result.errors.contains("secret"), "\(result.errors)")
        }
    }

    @Test("a file that is no database is a failure that says so")
    func noise() async throws {
        try await withFolder { folder in
            let made = try await ToolProcess.run(
                ["state", "list", "--store", "sqlite:/dev/null/x"], in: folder)
            #expect(made.status == 2)
            let folderAsFile = try await ToolProcess.run(["state", "list", "--store", "sqlite:."], in: folder)
            #expect(folderAsFile.status == 1 && folderAsFile.errors.hasPrefix("perdure: "))
        }
    }

    @Test("a copy is complete, ends with both stores the same, and can be repeated")
    func copy() async throws {
        try await withFolder { folder in
            for file in ["a", "b"] {
                _ = try await ToolProcess.run(["store", "setup", "--store", "sqlite:\(file).sqlite"], in: folder)
            }
            func put(_ id: String, _ file: String, _ more: [String] = []) async throws {
                let line = ["state", "put", id, "--manifest", "m", "--store", "sqlite:\(file).sqlite"] + more
                #expect(try await ToolProcess.run(line, in: folder, input: "\(id) in \(file)").status == 0)
            }
            let noRuns = "0 finished runs; 0 written, 0 refused; both stores hold the same\n"
            for number in 0..<5 { try await put("id-\(number)", "a") }
            let copy = ["store", "copy", "sqlite:a.sqlite", "sqlite:b.sqlite"]
            let first = try await ToolProcess.run(copy, in: folder)
            #expect(
                first.status == 0
                    && first.output == "5 states; 5 written, 0 refused; both stores hold the same\n" + noRuns)
            let again = try await ToolProcess.run(copy, in: folder)
            #expect(
                again.status == 0
                    && again.output == "5 states; 0 written, 0 refused; both stores hold the same\n" + noRuns)
            // The target goes ahead: nothing of it is lost.
            try await put("id-3", "b")
            let newer = try await ToolProcess.run(copy, in: folder)
            #expect(newer.status == 1 && newer.output == "5 states; 0 written, 1 refused; the stores differ\n" + noRuns)
            #expect(newer.errors == "perdure: \"id-3\": the target has version 2, newer than 1\n")
        }
    }

    @Test("a backup is a store of its own, and nothing is written over")
    func backup() async throws {
        try await withFolder { folder in
            let store = ["--store", "sqlite:a.sqlite"]
            _ = try await ToolProcess.run(["store", "setup"] + store, in: folder)
            _ = try await ToolProcess.run(["state", "put", "ada", "-m", "m"] + store, in: folder, input: "1")
            #expect(try await ToolProcess.run(["store", "backup", "b.sqlite"] + store, in: folder).status == 0)
            let listed = try await ToolProcess.run(["state", "list", "--store", "sqlite:b.sqlite"], in: folder)
            #expect(listed.output == "ada\n")
            #expect(try await ToolProcess.run(["store", "backup", "b.sqlite"] + store, in: folder).status == 1)
        }
    }

    @Test("the promises are checked on a scratch file that is gone afterwards, and a seed repeats the run")
    func check() async throws {
        try await withFolder { folder in
            let store = ["--store", "sqlite:a.sqlite"]
            _ = try await ToolProcess.run(["store", "setup"] + store, in: folder)
            let before = try FileManager.default.contentsOfDirectory(atPath: folder)
            let result = try await ToolProcess.run(["store", "check", "--seed", "5"] + store, in: folder)
            #expect(result.status == 0, "\(result)")
            #expect(result.output.contains(" kept, 0 broken, ") && result.output.hasSuffix("seed 5\n"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == before)
        }
    }

    @Test("the promises are checked on the store in memory, which needs no server, as lines for programs")
    func checkMemory() async throws {
        try await withFolder { folder in
            let check = try await ToolProcess.run(
                ["store", "check", "--seed", "5", "--json", "-s", "memory:"], in: folder)
            let lines = check.output.split(separator: "\n")
            #expect(check.status == 0 && lines.count > 300)
            #expect(
                lines.first?.hasPrefix(
                    "{\"contract\":\"states\",\"number\":1,\"title\":\"Reads return what was written\",\"name\":\"")
                    == true)
            #expect(lines.allSatisfy { $0.hasSuffix(",\"seed\":\"5\"}") })
            #expect(
                check.output.contains(
                    "\"verdict\":\"notTested\",\"reason\":\"no way to open a second store over the same data\""))
        }
    }

    @Test("the promises are checked in place where that is asked for")
    func checkInPlace() async throws {
        try await withFolder { folder in
            let store = ["--store", "sqlite:a.sqlite"]
            _ = try await ToolProcess.run(["store", "setup"] + store, in: folder)
            let line = ["store", "check", "--in-place", "--only", "states", "--json"]
            let result = try await ToolProcess.run(line + store, in: folder)
            #expect(result.status == 0 && result.output.contains("\"contract\":\"states\""), "\(result)")
            #expect(!result.output.contains("\"contract\":\"runs\""))
            #expect(try await ToolProcess.run(["state", "list", "--count"] + store, in: folder).output == "0\n")
        }
    }
}
