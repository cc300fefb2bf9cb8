import Glibc
import Processes
import Testing

@Suite struct BankTests {
    @Test func printsWhatItsReadMeSays() async throws {
        try await withStoreFile { file in
            let whole = try await ChildProcess.run("Bank", [file])
            #expect(whole.status == 0)
            #expect(try whole.lines == ReadMe.lines(of: "Bank"))
        }
    }

    @Test func noMoneyIsLostOrDoubledByACrash() async throws {
        let count = "1500"
        var undisturbed: [String] = []
        try await withStoreFile { file in
            undisturbed = try await ChildProcess.run("Bank", [file, count]).lines
        }
        #expect(undisturbed.last == "all have 8000, and it should be 8000")
        try await withStoreFile { file in
            // Amid transfers: some lines were written, and many are to come.
            for lines in [2, 12] {
                let killed = try await ChildProcess.run("Bank", [file, count], killAfterLines: lines)
                #expect(killed.signal == SIGKILL)
                #expect(killed.lines.count < undisturbed.count)
            }
            let resumed = try await ChildProcess.run("Bank", [file, count])
            #expect(resumed.status == 0)
            #expect(resumed.lines == undisturbed)
        }
    }
}
