internal import Glibc

/// Goes through the lines of a file, a piece at a time; `-` is standard input.
final class InputLines {
    private let path: String
    private let descriptor: Int32
    private var waiting: [UInt8] = []
    /// Where in what waits the next line begins.
    private var start = 0
    private var isAtEnd = false

    /// - Throws: ``InputFile/Unreadable`` with the system's reason.
    init(_ path: String) throws(InputFile.Unreadable) {
        self.path = path
        self.descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard self.descriptor >= 0 else { throw InputFile.Unreadable(path, errno) }
    }

    deinit { if self.path != "-" { close(self.descriptor) } }

    /// The next line, without what ends it; nil after the last.
    func next() throws(InputFile.Unreadable) -> [UInt8]? {
        var searched = self.start
        while true {
            if let end = self.waiting[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { self.start = end + 1 }
                return Array(self.waiting[self.start..<end])
            }
            if self.isAtEnd {
                defer { self.start = self.waiting.count }
                return self.start < self.waiting.count ? Array(self.waiting[self.start...]) : nil
            }
            self.waiting.removeFirst(self.start)
            self.start = 0
            searched = self.waiting.count
            try self.readPiece()
        }
    }

    private func readPiece() throws(InputFile.Unreadable) {
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = piece.withUnsafeMutableBytes { Glibc.read(self.descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                self.isAtEnd = count == 0
                self.waiting += piece.prefix(count)
                return
            }
            if errno != EINTR { throw InputFile.Unreadable(self.path, errno) }
        }
    }
}
