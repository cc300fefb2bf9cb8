import Glibc

/// Reads a file line by line, holding no more of it than one piece and one line.
final class LineReader {
    /// A longer line is cut off there; no row is that long.
    static let maximumLineByteCount = 1 << 16

    private let descriptor: CInt
    private let path: String
    private var piece: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    /// The number of the line that was read last, counted from 1.
    private(set) var lineNumber = 0

    init(path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("cannot open \(path): \(FileError.reason(errno))") }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw FileError("\(path) is not a regular file; the demo reads it more than once")
        }
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(self.descriptor) }

    /// Puts the next line into `line`, without its end (`\n` or `\r\n`); false when there is none.
    ///
    /// The last line may lack its end.
    func next(into line: inout [UInt8]) throws(FileError) -> Bool {
        line.removeAll(keepingCapacity: true)
        var hasBegun = false
        while true {
            if self.position == self.piece.count, !(try self.fill()) {
                break
            }
            hasBegun = true
            let rest = self.piece[self.position...]
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let room = max(0, Self.maximumLineByteCount + 1 - line.count)
            line.append(contentsOf: rest[..<(end ?? rest.endIndex)].prefix(room))
            self.position = end.map { $0 + 1 } ?? rest.endIndex
            if end != nil { break }
        }
        guard hasBegun else { return false }
        self.lineNumber += 1
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        if self.lineNumber == 1, line.starts(with: [0xef, 0xbb, 0xbf]) { line.removeFirst(3) }
        return true
    }

    /// Reads the next piece; false at the end of the file.
    private func fill() throws(FileError) -> Bool {
        if self.isAtEnd { return false }
        let descriptor = self.descriptor
        var failure: CInt = 0
        self.piece = [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, count in
            var result = read(descriptor, buffer.baseAddress, buffer.count)
            while result < 0, errno == EINTR { result = read(descriptor, buffer.baseAddress, buffer.count) }
            if result < 0 { failure = errno }
            count = max(0, result)
        }
        self.position = 0
        if failure != 0 { throw FileError("cannot read \(self.path): \(FileError.reason(failure))") }
        self.isAtEnd = self.piece.isEmpty
        return !self.isAtEnd
    }
}

/// A file that cannot be flown, in words.
struct FileError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    static func reason(_ number: CInt) -> String { String(cString: strerror(number)) }
}
