import Glibc
import Synchronization

/// What the care desk did: a line for each thing, in a file that outlives the process.
///
/// The file is opened for appending, and each line is written in one piece: a process that is killed leaves whole lines.
final class CareLedger: Sendable {
    private let descriptor: CInt
    private let entries: Mutex<Set<String>>

    /// Opens the ledger at `path`, and reads what is in it.
    init(path: String) throws(FileError) {
        let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw FileError("\(path): cannot be opened: \(String(cString: strerror(errno)))")
        }
        var contents: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count <= 0 { break }
            contents += piece.prefix(count)
        }
        self.descriptor = descriptor
        self.entries = Mutex(
            Set(contents.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }))
    }

    deinit { close(self.descriptor) }

    /// Does a thing under a key, unless it was done under that key before.
    func enter(_ thing: String, key: String) throws(FileError) {
        let entry = "\(thing) \(key)"
        let failure: CInt? = self.entries.withLock { entries in
            guard entries.insert(entry).inserted else { return nil }
            let line = Array("\(entry)\n".utf8)
            let written = line.withUnsafeBytes { write(self.descriptor, $0.baseAddress, $0.count) }
            return written == line.count ? nil : errno
        }
        if let failure { throw FileError("the ledger cannot be written: \(String(cString: strerror(failure)))") }
    }
}
