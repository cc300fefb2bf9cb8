import Glibc

/// An authority, and a certificate of it for `node.test` and 127.0.0.1, made by OpenSSL's program and gone with the value.
final class TestCertificates: Sendable {
    struct Failure: Error { let command: String }

    private let folder: String
    var authority: String { self.folder + "/authority.crt" }
    var certificate: String { self.folder + "/node.crt" }
    var key: String { self.folder + "/node.key" }

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir
        var template = Array((parent + "/perdure-certificates-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else { throw Failure(command: "mkdtemp") }
        self.folder = String(cString: made)
        try Self.run(
            "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout a.key -out authority.crt",
            in: folder)
        try Self.run(
            "openssl req -newkey rsa:2048 -nodes -subj /CN=node.test -keyout node.key -out node.csr", in: folder)
        try Self.run("printf 'subjectAltName=DNS:node.test,IP:127.0.0.1' > node.ext", in: folder)
        try Self.run(
            "openssl x509 -req -in node.csr -CA authority.crt -CAkey a.key -CAcreateserial -days 2 -extfile node.ext -out node.crt",
            in: folder)
    }

    deinit {
        for file in ["a.key", "authority.crt", "authority.srl", "node.key", "node.csr", "node.ext", "node.crt"] {
            unlink(self.folder + "/" + file)
        }
        rmdir(self.folder)
    }

    private static func run(_ command: String, in folder: String) throws {
        guard system("cd '\(folder)' && \(command) 2>/dev/null") == 0 else { throw Failure(command: command) }
    }
}
