internal import PerdureState

/// What the tables say about an ID, and what follows for a write of it that its statement did not make.
///
/// A plain value.
struct RowFinding: Hashable {
    /// The version of the row; nil where there is none.
    var version: Int64?
    /// The write that made the row.
    var write: WriteID?
    /// The version of the tombstone; nil where there is none. Means nothing while there is a row.
    var tombstone: Int64?
    /// The deletion that made the tombstone.
    var deletion: WriteID?

    init(version: Int64? = nil, write: WriteID? = nil, tombstone: Int64? = nil, deletion: WriteID? = nil) {
        self.version = version
        self.write = write
        self.tombstone = tombstone
        self.deletion = deletion
    }

    /// Reads a row of ``StateStatements/explain``.
    init(_ rows: borrowing ServerResult, _ row: Int) {
        self.init(
            version: rows.integer(row, 1), write: rows.writeID(row, 2), tombstone: rows.integer(row, 3),
            deletion: rows.writeID(row, 4))
    }

    enum Verdict: Hashable {
        /// It was made after all, by an earlier attempt; or there was nothing to do.
        case done
        /// Its condition holds now: it was overtaken for a moment.
        case again
        case conflict(stored: UInt64)
        /// It is only looked for, and there is no trace of it: it may be on its way, or have been written over.
        case unseen(stored: UInt64)
        /// An earlier attempt may have made it, but others have written since.
        case unknown(stored: UInt64)
        /// What is stored cannot be.
        case corrupted(String)
    }

    func verdict(on pending: PendingWrite) -> Verdict {
        // One's own traces come first: never a conflict with oneself.
        let traces = pending.operation == .delete ? self.deletion : self.write
        if traces == pending.id, pending.operation == .delete || self.version != nil { return .done }
        guard let stored = UInt64(exactly: self.version ?? self.tombstone ?? 0) else {
            return .corrupted(
                "the stored version is \(self.version ?? self.tombstone ?? 0); versions are not negative."
                    + " Repair the row, or write over it unconditionally")
        }
        if pending.isSought { return .unseen(stored: stored) }
        let isAlive = self.version != nil
        let holds =
            switch pending.condition {
            case .always: true
            case .version(let version): isAlive && stored == version
            case .absent: !isAlive && (pending.operation == .delete || pending.state.version > stored)
            }
        if pending.operation == .delete, !isAlive {
            switch pending.condition {
            case .always, .absent: return .done
            case .version: break
            }
        }
        if holds { return .again }
        return pending.mayHaveHappened ? .unknown(stored: stored) : .conflict(stored: stored)
    }
}
