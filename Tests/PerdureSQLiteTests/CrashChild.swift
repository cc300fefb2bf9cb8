import Processes

extension ChildProcess {
    /// Runs the program that SQLite's files are changed and its process ended in; see there for what it can do.
    static func crashChild(
        _ arguments: [String], killAfterLines lineLimit: Int? = nil
    ) async throws -> ChildProcess {
        try await self.run("sqlite-crash-child", arguments, killAfterLines: lineLimit)
    }
}
