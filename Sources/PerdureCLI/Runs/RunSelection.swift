internal import PerdureWorkflow

/// Which runs a command is about.
enum RunSelection {
    static let options: [Command.Option] = [
        .init("workflow", letter: "w", value: "NAME", "only runs of this workflow"),
        .init("status", value: "STATUS,...", "only runs that stand so: \(Self.statuses)"),
        .init("resource", letter: "r", value: "ID", "only runs about this resource"),
        .init("tag", letter: "t", value: "NAME=VALUE", "only runs with this tag"),
        .init("parent", value: "ID", "only runs that this run started"),
        .init("since", value: "TIME", "only runs created then or later; also as 90s, 15m, 2h, 7d (ago)"),
        .init("until", value: "TIME", "only runs created before"),
    ]

    private static let statuses = RunStatus.allCases.map(\.rawValue).joined(separator: ", ")

    /// - Throws: ``Misuse`` that says what is wrong with an option.
    static func filter(of call: Invocation, now: Int64) throws(Misuse) -> RunFilter {
        var filter = RunFilter()
        filter.workflow = call.option("workflow")
        filter.resourceID = call.option("resource")
        filter.parent = call.option("parent")
        for word in (call.option("status") ?? "").split(separator: ",") {
            guard let status = RunStatus(rawValue: word.uppercased()) else {
                throw Misuse("there is no status \(String(word).debugDescription); there are: \(Self.statuses)")
            }
            filter.statuses.insert(status)
        }
        if let tag = call.option("tag") {
            let parts = tag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw Misuse("--tag takes NAME=VALUE, not \(tag.debugDescription)")
            }
            filter.tag = RunFilter.Tag(String(parts[0]), String(parts[1]))
        }
        filter.createdFrom = try call.time("since", now: now)
        filter.createdBefore = try call.time("until", now: now)
        return filter
    }
}

/// Goes through runs, a page at a time.
struct RunPages {
    private let store: any RunStore
    private let filter: RunFilter
    private let now: Int64
    /// Where to go on; nil at the end.
    private(set) var cursor: RunPage.Cursor?
    private var isOver = false

    init(of store: any RunStore, where filter: RunFilter, now: Int64, after cursor: String? = nil) {
        self.store = store
        self.filter = filter
        self.now = now
        self.cursor = cursor.map { RunPage.Cursor($0) }
    }

    /// The next runs; nil after the last.
    mutating func next(limit: Int) async throws -> [RunRecord]? {
        if self.isOver { return nil }
        try Task.checkCancellation()
        let page = try await self.store.runs(where: self.filter, after: self.cursor, limit: limit, now: self.now)
        self.cursor = page.next
        self.isOver = page.next == nil
        return page.runs
    }
}

/// A word as a shell takes it.
struct ShellWord {
    let text: String

    init(_ word: String) {
        let isPlain = word.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "/-_.:,=+@%".utf8.contains(byte)
        }
        self.text =
            isPlain && !word.isEmpty
            ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
