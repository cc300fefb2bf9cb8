internal import Glibc
internal import PerdureConcurrency

/// What the process was started with and what lies in the files of its user: the outside world of the credential chain.
struct AWSEnvironment: Sendable {
    var variable: @Sendable (String) -> String?
    /// The text of a file; nil when there is none. Blocks.
    var file: @Sendable (String) -> String?

    /// The process's own.
    static let process = AWSEnvironment(
        variable: { name in getenv(name).map { String(cString: $0) } }, file: { Self.read($0) })

    /// A variable that is set to something.
    func value(_ name: String) -> String? {
        guard let value = self.variable(name), !value.isEmpty else { return nil }
        return value
    }

    /// The text of a file, read away from the cooperative pool.
    func text(ofFile path: String) async -> String? {
        let file = self.file
        return try? await BlockingThread.run(named: "perdure-files") { file(path) }
    }

    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        // No such file is larger than a megabyte.
        while bytes.count < 1 << 20 {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    var home: String { self.value("HOME") ?? "" }
    var profileName: String { self.value("AWS_PROFILE") ?? self.value("AWS_DEFAULT_PROFILE") ?? "default" }
}
