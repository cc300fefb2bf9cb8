import FoundationEssentials
import Testing

/// What the README of an example says that it prints.
enum ReadMe {
    static func lines(of example: String, path: String = #filePath) throws -> [String] {
        let root = URL(filePath: path).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(
            decoding: Data(contentsOf: root.appending(path: "Examples/\(example)/README.md")), as: UTF8.self)
        let start = try #require(text.firstRange(of: "```text\n")).upperBound
        let block = try text[start..<(#require(text[start...].firstRange(of: "\n```")).lowerBound)]
        return block.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}

/// Runs `body` with a file for a store, which is gone afterwards.
func withStoreFile(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "perdure-example-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder.appending(path: "store.sqlite").path)
}
