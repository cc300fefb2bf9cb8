import FoundationEssentials
import PerdureState
import PerdureStores
import Testing

@Suite("The tool at a terminal, in pipes, and interrupted")
struct TerminalTests {
    /// A store of so many states.
    private func fill(_ url: String, _ count: Int) async throws {
        let store = try ChosenStore(StoreURL(url)).states
        let batching = try #require(store as? any StateBatching)
        for start in stride(from: 0, to: count, by: 1_000) {
            let writes = (start..<min(start + 1_000, count)).map { number in
                let payload = StatePayload(manifest: "m", bytes: Array("{\"n\":\(number)}".utf8))
                let id = "id-\(String(1_000_000 + number).dropFirst())"
                return StateWrite(
                    DurableState(persistenceID: id, version: 1, payload: payload, timestamp: 1), if: .absent)
            }
            for result in await batching.write(writes) { try result.get() }
        }
        await store.disconnect()
    }

    @Test("colors are for people: on a terminal, unless they do not want them") func colors() async throws {
        try await withStores(.sqlite) { folder, urls in
            try await self.fill(urls[0], 1)
            let get = ["state", "get", "id-000000", "--store", urls[0]]
            let plain = try await withTerminal(get + ["--color", "never"], in: folder)
            #expect(plain.shown.hasPrefix("id        id-000000\r\nversion   1\r\n") && plain.status == 0)
            let colored = try await withTerminal(get, in: folder)
            #expect(colored.shown.hasPrefix("\u{1B}[2mid\u{1B}[0m        id-000000\r\n"))
            let refused = try await withTerminal(get, in: folder, environment: ["NO_COLOR": "1"])
            #expect(refused.shown == plain.shown)
            let json = try await withTerminal(get + ["--json"], in: folder)
            #expect(json.shown.hasPrefix("{\"id\":"))
            let pipe = try await ToolProcess.run(get, in: folder)
            #expect(pipe.output.hasPrefix("id        id-000000\n"))
            let wanted = try await ToolProcess.run(get + ["--color=always"], in: folder)
            #expect(wanted.output.hasPrefix("\u{1B}[2mid\u{1B}[0m"))
        }
    }

    @Test("progress is a line that is written over on a terminal, and nothing for short work elsewhere")
    func progress() async throws {
        try await withStores(.sqlite, ["a", "b"]) { folder, urls in
            try await self.fill(urls[0], 10)
            let copied = try await withTerminal(["store", "copy"] + urls, in: folder)
            #expect(copied.status == 0)
            #expect(copied.shown.hasPrefix("\r\u{1B}[Kpass 1: 10 states, 10 written"), "\(copied.shown)")
            #expect(copied.shown.contains("\r\u{1B}[K10 states; 10 written, 0 refused; both stores hold the same\r\n"))
            let again = try await ToolProcess.run(["store", "copy"] + urls, in: folder)
            #expect(again.errors == "")
        }
    }

    @Test("Ctrl-C stops a copy cleanly, which says how to go on, and goes on") func interruption() async throws {
        try await withStores(.sqlite, ["a", "b"]) { folder, urls in
            try await self.fill(urls[0], 30_000)
            let copy = ["store", "copy"] + urls
            let stopped = try await withTerminal(copy, in: folder) { terminal in
                try terminal.wait(for: "pass 1: ")
                terminal.type("\u{3}")
            }
            #expect(stopped.status == 1)
            #expect(
                stopped.shown.contains("perdure: the copy has not ended; the same command goes on where it was\r\n"),
                "\(stopped.shown.suffix(300))")
            #expect(stopped.shown.hasSuffix("perdure: interrupted\r\n"))
            let count = ["state", "list", "--count", "--store", urls[1]]
            let there = try #require(Int(try await ToolProcess.run(count, in: folder).output.dropLast()))
            #expect((1..<30_000).contains(there))
            let ended = try await ToolProcess.run(copy, in: folder)
            #expect(
                ended.output.hasPrefix(
                    "30000 states; \(30_000 - there) written, 0 refused; both stores hold the same\n"))
            let exports = try await ToolProcess.shell(
                "cmp <($perdure state export -s \(urls[0]) 2>&1) <($perdure state export -s \(urls[1]) 2>&1)",
                in: folder)
            #expect(exports.status == 0 && exports.output == "")
        }
    }

    @Test(
        "Ctrl-C stops a check cleanly: its scratch tables are gone, and it says how to begin anew",
        arguments: [TestStore.sqlite, .postgres].filter(\.isThere))
    func interruptedCheck(_ kind: TestStore) async throws {
        try await withStores(kind) { folder, urls in
            let before = try FileManager.default.contentsOfDirectory(atPath: folder)
            let check = ["store", "check", "--thorough", "--seed", "7", "--store", urls[0]]
            let stopped = try await withTerminal(check, in: folder) { terminal in
                try terminal.wait(for: " promises, 0 broken")
                terminal.type("\u{3}")
            }
            #expect(stopped.status == 1)
            let notes = stopped.shown.split(separator: "\r\n").suffix(2)
            let scratch = try #require(
                notes.first?.split(separator: " ").first { $0.hasPrefix("perdure_check_") }?.dropLast(),
                "\(stopped.shown.suffix(500))")
            #expect(
                notes == [
                    "perdure: the check has not ended; its scratch tables, \(scratch), are removed; --seed 7 begins the same one anew",
                    "perdure: interrupted",
                ])
            #expect(
                stopped.shown.contains("not tested, the run was cancelled") && stopped.shown.contains(" 0 broken, "))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == before.sorted())
            guard kind == .postgres, let place = urls[0].firstRange(of: "schema=")?.upperBound else { return }
            let tables = ["state", "list", "--store", "\(urls[0][..<place])\(scratch)"]
            let left = try await ToolProcess.run(tables, in: folder)
            #expect(left.status == 1 && left.errors.contains("setup"), "\(left.output)\(left.errors)")
        }
    }

    @Test("Ctrl-C stops a check in place, which takes back what it has written", arguments: ["states", "runs"])
    func interruptedCheckInPlace(_ contract: String) async throws {
        try await withStores(.sqlite) { folder, urls in
            let check = ["store", "check", "--thorough", "--in-place", "--only", contract, "--store", urls[0]]
            let stopped = try await withTerminal(check, in: folder) { terminal in
                try terminal.wait(for: " promises, 0 broken")
                terminal.type("\u{3}")
            }
            #expect(stopped.status == 1 && stopped.shown.contains("; what it wrote is removed; --seed "))
            for command in ["state", "run"] {
                let count = try await ToolProcess.run([command, "list", "--count", "--store", urls[0]], in: folder)
                #expect(count.output == "0\n")
            }
        }
    }

    @Test("Ctrl-C ends what would never end") func watching() async throws {
        try await withStores(.sqlite) { folder, urls in
            try await self.fill(urls[0], 1)
            let watch = ["state", "watch", "id-000000", "--store", urls[0], "--interval", "3600000"]
            let stopped = try await withTerminal(watch, in: folder) { terminal in
                try terminal.wait(for: "version 1  {\"n\":0}\r\n")
                terminal.type("\u{3}")
            }
            #expect(stopped.status == 1 && stopped.shown.hasSuffix("perdure: interrupted\r\n"))
        }
    }

    @Test("a state is followed") func following() async throws {
        try await withStores(.sqlite) { folder, urls in
            try await self.fill(urls[0], 1)
            let environment = ["PERDURE_STORE": urls[0]]
            let watch = ["state", "watch", "id-000000", "--interval", "10", "--count", "3"]
            let watched = try await withTerminal(watch, in: folder, environment: environment) { terminal in
                try terminal.wait(for: "1970-01-01T00:00:00.001Z  version 1  {\"n\":0}\r\n")
                let put = ["state", "put", "id-000000", "/dev/null"]
                #expect(try ToolTerminal(put, in: folder, environment: environment).end() == 0)
                try terminal.wait(for: "Z  version 2  0 bytes\r\n")
                let delete = ["state", "delete", "id-000000"]
                #expect(try ToolTerminal(delete, in: folder, environment: environment).end() == 0)
            }
            #expect(watched.status == 0 && watched.shown.hasSuffix("Z  deleted\r\n"))
        }
    }

    @Test("whoever stops reading ends the tool silently") func brokenPipe() async throws {
        try await withStores(.sqlite) { folder, urls in
            try await self.fill(urls[0], 20_000)
            let list = try await ToolProcess.shell(
                "$perdure state list | head -n 1; echo ${PIPESTATUS[0]}", in: folder,
                environment: ["PERDURE_STORE": urls[0]])
            #expect(list.output == "id-000000\n141\n" && list.errors == "")
            let full = try await ToolProcess.shell(
                "$perdure state list > /dev/full; echo $?", in: folder, environment: ["PERDURE_STORE": urls[0]])
            #expect(
                full.output == "1\n"
                    && full.errors == "perdure: standard output cannot be written: No space left on device\n")
        }
    }
}
