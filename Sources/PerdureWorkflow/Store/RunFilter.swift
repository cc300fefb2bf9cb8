/// Which runs to list or to count: those for which everything holds that is set.
public struct RunFilter: Sendable, Hashable {
    /// The workflow's name.
    public var workflow: String?
    /// Any of these; empty for all.
    public var statuses: Set<RunStatus> = []
    /// What the runs are about.
    public var resourceID: String?
    /// A tag's name, and its value.
    public var tag: Tag?
    /// Runs that this run started.
    public var parent: String?
    /// Created at or after this time, in Unix milliseconds.
    public var createdFrom: Int64?
    /// Created before this time, in Unix milliseconds.
    public var createdBefore: Int64?

    /// All runs.
    public init() {}

    /// A tag's name, and its value.
    public struct Tag: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The value.
        public var value: String

        /// Makes a tag.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }
}

/// Some of the runs of a store, and where to go on.
public struct RunPage: Sendable {
    /// The runs, without steps; the newest first, runs of one time by ID.
    public var runs: [RunRecord]
    /// Where the next page begins; nil when this is the last.
    public var next: Cursor?

    /// Makes a page.
    public init(runs: [RunRecord], next: Cursor?) {
        self.runs = runs
        self.next = next
    }

    /// A place in a listing, in the store's own words; can be kept as text.
    public struct Cursor: Sendable, Hashable {
        /// The place as text.
        public let text: String
        /// The place that was kept as `text`.
        public init(_ text: String) { self.text = text }
    }
}
