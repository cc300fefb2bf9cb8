internal import Glibc

/// What kind of file lies at a path, as far as the file system tells.
///
/// Never opens it.
enum FileKind: Equatable {
    case missing
    case file
    /// Something that cannot be a database; says what.
    case other(String)
    /// Not even that can be told; the system's error number.
    case unreachable(Int32)

    init(at path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            self = errno == ENOENT ? .missing : .unreachable(errno)
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .other("a folder")
        default: self = .other("a device, a pipe or a socket")
        }
    }

    /// Whether the folder that holds `path` exists.
    static func hasFolder(_ path: String) -> Bool {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return true }
        let folder = String(path[..<slash])
        var status = stat()
        return folder.isEmpty || (stat(folder, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR)
    }
}

/// What the header of a database file says.
enum FileHeader: Equatable {
    /// The file has no contents.
    case empty
    /// A database; the application by which it says that it was made, 0 for none.
    case database(applicationID: UInt32)
    /// Zeros: the power failed while the file was made, and its first page never reached the disk.
    case blank
    /// A file of another kind.
    case other

    /// The bytes that a header has.
    static let byteCount = 100

    /// Reads a header; `bytes` are as many as the file has, ``byteCount`` at most.
    init(_ bytes: [UInt8]) {
        if bytes.count == Self.byteCount, bytes.allSatisfy({ $0 == 0 }) {
            self = .blank
            return
        }
        if bytes.isEmpty {
            self = .empty
        } else if bytes.count >= Self.byteCount, bytes.starts(with: "SQLite format 3\0".utf8) {
            self = .database(applicationID: bytes[68..<72].reduce(0) { $0 << 8 | UInt32($1) })
        } else {
            self = .other
        }
    }
}
