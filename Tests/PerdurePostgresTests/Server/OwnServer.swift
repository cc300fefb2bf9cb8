import Processes

/// A server for one test alone, which may be crashed, filled up or starved.
struct OwnServer: Sendable {
    let url: String
    private let folder: String
    /// What the shell does before it starts the server.
    private let preparation: String

    /// Runs `body` with a server of its own, which is stopped and removed afterwards.
    static func with(after preparation: String = ":", _ body: (OwnServer) async throws -> Void) async throws {
        // The server runs as another user, who must get there.
        let folder = try await Shell.lastLine(of: "folder=$(mktemp -d) && chmod 755 $folder && echo $folder")
        let url = try await Self.script("start", in: folder, after: preparation)
        let server = OwnServer(url: url, folder: folder, preparation: preparation)
        do {
            guard url.hasPrefix("postgres://") else {
                throw TestServer.Trouble(description: "the server did not start; its log is in \(folder)")
            }
            try await body(server)
        } catch {
            _ = try await Self.script("stop", in: folder)
            throw error
        }
        _ = try await Self.script("stop", in: folder)
    }

    /// Ends all its processes at once.
    func crash() async throws { _ = try await Self.script("crash", in: self.folder) }

    /// Starts it again on its data; returns its URL.
    func start() async throws -> String { try await Self.script("start", in: self.folder, after: self.preparation) }

    /// Runs `script/server postgres ACTION` and returns the last line of what it prints.
    private static func script(_ action: String, in folder: String, after preparation: String = ":") async throws
        -> String
    {
        try await Shell.lastLine(
            of:
                "\(preparation) && PERDURE_SERVERS='\(folder)' '\(Shell.root)/script/server' postgres \(action) 2>/dev/null"
        )
    }
}
