internal import Glibc

/// A file that a command reads as a whole; `-` is standard input.
struct InputFile {
    private let path: String

    init(_ path: String) { self.path = path }

    /// - Throws: ``Unreadable`` with the system's reason.
    func read() throws(Unreadable) -> [UInt8] {
        let descriptor = self.path == "-" ? STDIN_FILENO : open(self.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(self.path, errno) }
        defer { if self.path != "-" { close(descriptor) } }
        var contents: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = piece.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                contents += piece.prefix(count)
            } else if count == 0 {
                return contents
            } else if errno != EINTR {
                throw Unreadable(self.path, errno)
            }
        }
    }

    /// A file that cannot be read.
    struct Unreadable: Error, CustomStringConvertible {
        let description: String

        init(_ path: String, _ code: Int32) {
            self.description = "\(path.debugDescription) cannot be read: \(String(cString: strerror(code)))"
        }
    }
}
