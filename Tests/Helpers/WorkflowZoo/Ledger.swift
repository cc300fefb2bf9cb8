internal import Glibc

/// Where witnesses' lines are kept, so that they outlive the process: a file, to which any number of processes add.
package struct Ledger: Sendable {
    private let path: String

    /// A ledger at `path`; it need not be there.
    package init(_ path: String) { self.path = path }

    /// Adds lines to it, each whole and at once; nil where the file cannot be opened.
    package func writer() -> (@Sendable (String) -> Void)? {
        let file = open(self.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { return nil }
        return { line in
            let bytes = Array("\(line)\n".utf8)
            let count = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            // A line that is not kept would be taken for something that did not happen.
            if count != bytes.count { abort() }
        }
    }

    /// All its lines.
    package var lines: [String] {
        let file = open(self.path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(file, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
