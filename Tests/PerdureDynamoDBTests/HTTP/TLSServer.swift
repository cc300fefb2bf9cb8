import Glibc
import PerdureConcurrency

/// The server of `Tests/Interop/dynamodb/tls`: good and bad certificates, each on a port of its own.
final class TLSServer: Sendable {
    static let program = Interop.server

    struct DidNotStart: Error {}

    /// The file with the certificate of the authority that has signed all but the strange one.
    let authority: String
    private let ports: [String: Int]
    private let folder: String
    private let processID: pid_t

    init() async throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
        var template = Array("\(parent)/perdure-tls-XXXXXX".utf8CString)
        guard let program = Self.program, mkdtemp(&template) != nil else { throw DidNotStart() }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let values = try await BlockingThread.run(named: "tls-server") { Self.start("'\(program)' '\(folder)'") }
        guard let processID = values["pid"] else { throw DidNotStart() }
        self.folder = folder
        self.authority = folder + "/authority.pem"
        self.processID = pid_t(processID)
        self.ports = values
    }

    func url(_ certificate: String, host: String = "127.0.0.1") -> String {
        "https://\(host):\(self.ports[certificate] ?? 0)/"
    }

    func stop() {
        // It was started by a thread that takes no other signals, and so it takes no others.
        kill(self.processID, SIGKILL)
        remove(self.authority)
        remove(self.folder)
    }

    /// What it prints until it is ready. It goes on; the pipe is left open, so that it never writes into nothing.
    private static func start(_ command: String) -> [String: Int] {
        guard let pipe = popen("exec \(command)", "r") else { return [:] }
        var values: [String: Int] = [:]
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, CInt(line.count), pipe) != nil {
            let text = String(
                decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text == "ready" { return values }
            let parts = text.split(separator: "=")
            if parts.count == 2 { values[String(parts[0])] = Int(parts[1]) }
        }
        return [:]
    }
}
