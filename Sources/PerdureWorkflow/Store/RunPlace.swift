package import PerdureModel

/// A run's place in listings: the newest first, runs of one time by ID.
package struct RunPlace: Comparable, Sendable {
    /// When the run was asked for, in Unix milliseconds.
    package let createdAt: Int64
    /// The run's ID.
    package let id: String

    package init(createdAt: Int64, id: String) {
        self.createdAt = createdAt
        self.id = id
    }

    package init(_ request: RunRequest) { self.init(createdAt: request.createdAt, id: request.id) }

    package static func < (left: RunPlace, right: RunPlace) -> Bool {
        if left.createdAt != right.createdAt { return left.createdAt > right.createdAt }
        return IDKey(left.id) < IDKey(right.id)
    }

    package static func == (left: RunPlace, right: RunPlace) -> Bool {
        left.createdAt == right.createdAt && IDKey(left.id) == IDKey(right.id)
    }

    /// The place as text: `1700000000000/order-7`.
    package var cursor: RunPage.Cursor { RunPage.Cursor("\(self.createdAt)/\(self.id)") }

    /// The place that was kept as text.
    package init(parsing cursor: RunPage.Cursor) throws(StoreError) {
        let text = cursor.text
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")), let time = Int64(text[..<slash]) else {
            throw StoreError(
                .invalidRequest, operation: .list,
                message: "\(text.debugDescription) is not a cursor of this listing; give one that a page had as next")
        }
        self.createdAt = time
        self.id = String(text[text.utf8.index(after: slash)...])
    }
}
