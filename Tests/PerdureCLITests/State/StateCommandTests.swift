import Testing

@Suite("Commands on states, as processes on SQLite")
struct StateCommandTests {
    private func inStore(
        _ body: (_ run: (String...) async throws -> ToolProcess, _ folder: String) async throws -> Void
    )
        async throws
    {
        try await withFolder { folder in
            let environment = ["PERDURE_STORE": "sqlite:bank.sqlite"]
            let setup = try await ToolProcess.run(["store", "setup"], in: folder, environment: environment)
            #expect(setup.status == 0 && setup.output == "the store is ready\n" && setup.errors == "")
            try await body(
                { (line: String...) in try await ToolProcess.run(line, in: folder, environment: environment) }, folder)
        }
    }

    private func put(_ id: String, _ payload: String, in folder: String, _ more: String...) async throws -> ToolProcess
    {
        try await ToolProcess.run(
            ["state", "put", id, "--store", "sqlite:bank.sqlite"] + more, in: folder, input: payload)
    }

    @Test("what is put is shown, listed, counted and deleted")
    func life() async throws {
        try await self.inStore { run, folder in
            let put = try await self.put("ada", "{\"balance\":3}", in: folder, "--manifest", "json:Account:1")
            #expect(put.status == 0 && put.output == "ada is stored as version 1\n")
            let next = try await self.put("ada", "{\"balance\":4}", in: folder, "--if-version", "1")
            #expect(next.status == 0 && next.output == "ada is stored as version 2\n")

            let shown = try await run("state", "get", "ada")
            #expect(shown.status == 0)
            let lines = shown.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            #expect(lines[0] == "id        ada")
            #expect(lines[1] == "version   2")
            #expect(lines[2] == "manifest  json:Account:1")
            #expect(lines[3].hasPrefix("written   20") && lines[3].hasSuffix("Z"))
            #expect(lines[4...] == ["shard     0", "size      13 bytes", "", "{\"balance\":4}", ""])
            #expect(try await run("state", "get", "ada", "--raw").output == "{\"balance\":4}")
            #expect(try await run("state", "list").output == "ada\n")
            #expect(try await run("state", "list", "--json").output == "{\"id\":\"ada\"}\n")
            #expect(try await run("state", "list", "--count").output == "1\n")
            #expect(try await run("state", "list", "--prefix", "b", "--count", "--json").output == "{\"count\":0}\n")
            #expect(try await run("state", "delete", "ada").output == "ada is deleted\n")
            #expect(try await run("state", "delete", "ada").output == "there was nothing under ada\n")
            let gone = try await run("state", "get", "ada")
            #expect(
                gone.status == 1 && gone.output == "" && gone.errors == "perdure: there is no state under \"ada\"\n")
        }
    }

    @Test("a condition that does not hold changes nothing and ends with 1")
    func conflict() async throws {
        try await self.inStore { run, folder in
            _ = try await self.put("ada", "1", in: folder, "--manifest", "m")
            let refused = try await self.put("ada", "2", in: folder, "--if-version", "9")
            #expect(refused.status == 1 && refused.output == "")
            #expect(
                refused.errors.hasPrefix(
                    "perdure: write failed: conflict (not applied): expected version 9, found version 1"))
            #expect(try await run("state", "delete", "ada", "--if-version", "9").status == 1)
            #expect(try await run("state", "get", "ada", "--raw").output == "1")
            let nothing = try await self.put("bob", "2", in: folder)
            #expect(nothing.status == 2)
            #expect(nothing.errors.contains("nothing is stored under \"bob\""))
        }
    }

    @Test("what is exported is imported, once, and bad lines are named")
    func export() async throws {
        try await self.inStore { run, folder in
            _ = try await self.put("ada", "1", in: folder, "--manifest", "m")
            _ = try await self.put("bob", "\u{0}\u{1}", in: folder, "--manifest", "m")
            let exported = try await run("state", "export")
            #expect(exported.status == 0 && exported.errors == "2 states\n")
            let other = ["--store", "sqlite:other.sqlite"]
            _ = try await ToolProcess.run(["store", "setup"] + other, in: folder)
            let lines = exported.output + "{\"id\":1}\nnoise\n"
            let first = try await ToolProcess.run(["state", "import"] + other, in: folder, input: lines)
            #expect(first.status == 1)
            #expect(first.output == "2 stored, 0 were there already, 2 refused\n")
            #expect(
                first.errors == """
                    perdure: line 3: it is no JSON object with id, version, manifest and payload
                    perdure: line 4: it is no JSON object with id, version, manifest and payload

                    """)
            let again = try await ToolProcess.run(["state", "import"] + other, in: folder, input: exported.output)
            #expect(again.output == "0 stored, 2 were there already, 0 refused\n")
            #expect(try await ToolProcess.run(["state", "export"] + other, in: folder).output == exported.output)
        }
    }

    @Test(
        "many lines are imported in their order, the second of one ID after the first, and an interruption says how to go on"
    )
    func manyLines() async throws {
        try await self.inStore { run, folder in
            // The payload is \u{31}, the last line has no end.
            let lines = (0..<700).map { number in
                "{\"id\":\"id-\(number % 500)\",\"version\":\(1 + number / 500),\"manifest\":\"m\",\"payload\":\"MQ==\"}"
            }.joined(separator: "\n")
            let store = ["--store", "sqlite:bank.sqlite"]
            let imported = try await ToolProcess.run(["state", "import"] + store, in: folder, input: lines)
            #expect(imported.output == "700 stored, 0 were there already, 0 refused\n" && imported.errors == "")
            #expect(try await run("state", "list", "--count").output == "500\n")
            #expect(try await run("state", "get", "id-199").output.contains("\nversion   2\n"))
            #expect(try await run("state", "get", "id-200").output.contains("\nversion   1\n"))
            let missing = try await run("state", "import", "nowhere")
            #expect(
                missing.status == 1
                    && missing.errors == "perdure: \"nowhere\" cannot be read: No such file or directory\n")
            // Standard input stays open: the tool waits for more lines, and stops without one.
            let stopped = try await withTerminal(["state", "import"] + store, in: folder) { terminal in
                terminal.type("{}\n")
                try terminal.wait(for: "perdure: line 1: ")
                terminal.type("\u{3}")
            }
            #expect(
                stopped.status == 1
                    && stopped.shown.contains("perdure: 0 stored so far; the same command goes on where it was"))
        }
    }

    @Test("a limit ends a listing", arguments: [1, 3, 7])
    func limit(_ limit: Int) async throws {
        try await self.inStore { run, folder in
            for number in 0..<5 { _ = try await self.put("id-\(number)", "1", in: folder, "--manifest", "m") }
            let listed = try await run("state", "list", "--limit", "\(limit)")
            #expect(listed.output.split(separator: "\n").count == min(limit, 5))
            #expect(try await run("state", "list", "--limit", "0").status == 2)
        }
    }
}
