/// What is known of a file before it is flown: how many rows to expect, and a fingerprint to know it again.
struct FileSurvey: Sendable, Equatable {
    /// Lines that are not blank, without the first one.
    private(set) var rowCount = 0
    /// FNV-1a over the lines.
    private(set) var fingerprint: UInt64 = 0xcbf2_9ce4_8422_2325

    init(path: String) throws(FileError) {
        let lines = try LineReader(path: path)
        var line: [UInt8] = []
        while try lines.next(into: &line) {
            self.add(line)
            self.add([UInt8(ascii: "\n")])
            let isBlank = line.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            if !isBlank, lines.lineNumber > 1 { self.rowCount += 1 }
        }
    }

    private mutating func add(_ bytes: [UInt8]) {
        for byte in bytes { self.fingerprint = (self.fingerprint ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    }
}
