/// The statements on the tables of one layout.
///
/// Each takes its rows as arrays, one array a column, rows in the order of their IDs. Those that idle services send one at a time also
/// have a form that takes a lone row as plain values: that spares the server a tenth of a write.
///
/// Two rules keep batches of several processes from waiting for each other in a circle. A batch locks its rows in the order of
/// the arrays: the arrays are always the outer side of a nested loop, because `= ANY (ARRAY[…])` can be looked up in an index but
/// neither hashed nor merged, and because our connections switch sequential scans off. And each kind of change is a
/// transaction of its own.
final class StateStatements: Sendable {
    /// A statement's forms for one row and for many.
    struct Forms: Sendable {
        fileprivate let one: Statement
        fileprivate let many: Statement

        subscript(rows count: Int) -> Statement { count == 1 ? self.one : self.many }
    }

    let replace: Forms
    let create: Forms
    let put: Forms
    let read: Forms
    let uncreate: Statement
    let remove: Statement
    let explain: Statement
    let unlocked: Statement
    let list: Statement

    init(_ layout: TableLayout) {
        let texts = StatementTexts(layout)
        func forms(_ text: (_ ofOne: Bool) -> Statement) -> Forms { Forms(one: text(true), many: text(false)) }
        self.replace = forms(texts.replace)
        self.create = forms(texts.create)
        self.put = forms(texts.put)
        self.read = forms(texts.read)
        self.uncreate = texts.uncreate
        self.remove = texts.remove
        self.explain = texts.explain
        self.unlocked = texts.unlocked
        self.list = texts.list
    }
}

/// What ``StateStatements`` say.
private struct StatementTexts {
    private let table: String
    private let tombstones: String
    private let isExtended: Bool
    /// Statements of different layouts have different names: a connection may have prepared both.
    private let suffix: String

    init(_ layout: TableLayout) {
        self.table = "\(layout.schema).states_store"
        self.tombstones = "\(layout.schema).states_tombstones"
        self.isExtended = layout.isExtended
        self.suffix = layout.isExtended ? "" : "_plain"
    }

    private func statement(_ name: String, ofOne: Bool = false, _ sql: String) -> Statement {
        Statement(name: "perdure_\(name)\(ofOne ? "_one" : "")\(self.suffix)", sql: sql)
    }

    // MARK: Writing

    private var columns: String {
        "persistence_id, version_number, state_payload, state_manifest, timestamp, shard_number"
            + (self.isExtended ? ", write_id" : "")
    }

    /// Parameters as the columns of a table, whose rows are the elements of the arrays; its alias is `i`.
    ///
    /// In the select list arrays are walked side by side; in `FROM` each would be stored and read back first, which costs a tenth.
    private static func rows(
        _ arrays: [(type: String, column: String)], numbered: Bool = false, ofOne: Bool = false
    ) -> String {
        var columns = arrays.enumerated().map { index, array in
            let parameter = "$\(index + 1)::\(array.type)"
            return "\(ofOne ? parameter : "unnest(\(parameter)[])") AS \(array.column)"
        }
        if numbered { columns.append((ofOne ? "1::bigint" : "generate_series(1::bigint, cardinality($1))") + " AS n") }
        return "(SELECT \(columns.joined(separator: ", "))) AS i"
    }

    /// The parameters that are columns; the seventh is the write's ID where the table keeps it.
    private var arrays: [(type: String, column: String)] {
        [
            ("text", "id"), ("bigint", "version"), ("bytea", "payload"), ("text", "manifest"), ("bigint", "time"),
            ("bigint", "shard"),
        ] + (self.isExtended ? [("uuid", "write")] : [])
    }

    private var values: String {
        "i.id, i.version, i.payload, i.manifest, i.time, i.shard" + (self.isExtended ? ", i.write" : "")
    }

    /// Writes over exactly the version that the write names; returns the numbers of the rows that it changed, from 1.
    func replace(ofOne: Bool) -> Statement {
        self.statement(
            "replace", ofOne: ofOne,
            """
            UPDATE \(self.table) AS s SET version_number = i.version, state_payload = i.payload,
                state_manifest = i.manifest, timestamp = i.time, shard_number = i.shard\
            \(self.isExtended ? ", write_id = i.write" : "")
            FROM \(Self.rows(self.arrays + [("bigint", "expected")], numbered: true, ofOne: ofOne))
            WHERE s.persistence_id = ANY (ARRAY[i.id]) AND s.version_number = i.expected
            RETURNING i.n
            """)
    }

    /// Writes where nothing is, unless a tombstone has the version or a later one; returns the IDs that it wrote.
    func create(ofOne: Bool) -> Statement {
        let condition =
            self.isExtended
            ? " WHERE i.version > coalesce((SELECT t.version_number FROM \(self.tombstones) t"
                + " WHERE t.persistence_id = i.id), 0)" : ""
        return self.statement(
            "create", ofOne: ofOne,
            """
            INSERT INTO \(self.table) (\(self.columns)) SELECT \(self.values) FROM \(Self.rows(self.arrays, ofOne: ofOne))\(condition)
            ON CONFLICT (persistence_id) DO NOTHING RETURNING persistence_id
            """)
    }

    /// Takes back what ``create`` wrote, in its transaction, where a whole life has begun and ended since its snapshot was taken.
    ///
    /// That life's tombstone can be seen now, and no other can come before this transaction ends: the row is ours. Returns
    /// the IDs that it took back.
    var uncreate: Statement {
        self.statement(
            "uncreate",
            """
            DELETE FROM \(self.table) AS s USING \(Self.rows([("text", "id"), ("bigint", "version"), ("uuid", "write")]))
            WHERE s.persistence_id = ANY (ARRAY[i.id]) AND s.write_id = i.write AND EXISTS
                (SELECT FROM \(self.tombstones) t WHERE t.persistence_id = i.id AND t.version_number >= i.version)
            RETURNING s.persistence_id
            """)
    }

    /// Writes whatever is there.
    func put(ofOne: Bool) -> Statement {
        self.statement(
            "put", ofOne: ofOne,
            """
            INSERT INTO \(self.table) AS s (\(self.columns)) SELECT \(self.values) FROM \(Self.rows(self.arrays, ofOne: ofOne))
            ON CONFLICT (persistence_id) DO UPDATE SET version_number = excluded.version_number,
                state_payload = excluded.state_payload, state_manifest = excluded.state_manifest,
                timestamp = excluded.timestamp, shard_number = excluded.shard_number\
            \(self.isExtended ? ", write_id = excluded.write_id" : "")
            """)
    }

    /// Deletes the version that is named, or whatever is there for -1, and leaves tombstones; returns the IDs that it deleted.
    var remove: Statement {
        self.statement(
            "remove",
            """
            WITH gone AS (
                DELETE FROM \(self.table) AS s
                USING \(Self.rows([("text", "id"), ("bigint", "expected"), ("uuid", "write")]))
                WHERE s.persistence_id = ANY (ARRAY[i.id]) AND (i.expected = -1 OR s.version_number = i.expected)
                RETURNING s.persistence_id, s.version_number, i.write)
            INSERT INTO \(self.tombstones) AS t (persistence_id, version_number, write_id)
            SELECT persistence_id, least(version_number, 9223372036854775806) + 1, write FROM gone
            ON CONFLICT (persistence_id) DO UPDATE SET version_number = excluded.version_number,
                write_id = excluded.write_id, deleted_at = excluded.deleted_at
            RETURNING t.persistence_id
            """)
    }

    /// What is there for IDs whose write or deletion was not done: number, version, its write; tombstone's version, its write.
    var explain: Statement {
        self.isExtended
            ? self.statement(
                "explain",
                """
                SELECT i.n, s.version_number, s.write_id, t.version_number, t.write_id
                FROM \(Self.rows([("text", "id")], numbered: true))
                LEFT JOIN \(self.table) s ON s.persistence_id = ANY (ARRAY[i.id])
                LEFT JOIN \(self.tombstones) t ON t.persistence_id = ANY (ARRAY[i.id])
                """)
            : self.statement(
                "explain",
                """
                SELECT i.n, s.version_number, NULL::uuid, NULL::bigint, NULL::uuid
                FROM \(Self.rows([("text", "id")], numbered: true))
                LEFT JOIN \(self.table) s ON s.persistence_id = ANY (ARRAY[i.id])
                """)
    }

    /// The numbers of the IDs whose rows nobody else has locked, or that have no row.
    var unlocked: Statement {
        self.statement(
            "unlocked",
            """
            SELECT i.n FROM \(Self.rows([("text", "id")], numbered: true))
            LEFT JOIN LATERAL (SELECT true AS is_free FROM \(self.table) x
                WHERE x.persistence_id = ANY (ARRAY[i.id]) FOR NO KEY UPDATE SKIP LOCKED) f ON true
            LEFT JOIN \(self.table) s ON s.persistence_id = ANY (ARRAY[i.id])
            WHERE f.is_free OR s.persistence_id IS NULL
            """)
    }

    // MARK: Reading

    /// The states of IDs: number, version, payload, manifest, timestamp, shard.
    func read(ofOne: Bool) -> Statement {
        self.statement(
            "read", ofOne: ofOne,
            """
            SELECT i.n, s.version_number, s.state_payload, s.state_manifest, s.timestamp, s.shard_number
            FROM \(Self.rows([("text", "id")], numbered: true, ofOne: ofOne))
            JOIN \(self.table) s ON s.persistence_id = ANY (ARRAY[i.id])
            """)
    }

    /// IDs from `$1` on, beyond `$2`, to `$3`, at most `$4`, in the order of their bytes.
    var list: Statement {
        self.statement(
            "list",
            """
            SELECT s.persistence_id FROM \(self.table) s
            WHERE s.persistence_id COLLATE "C" >= $1::text AND s.persistence_id COLLATE "C" > $2::text
                AND s.persistence_id COLLATE "C" <= $3::text
            ORDER BY s.persistence_id COLLATE "C" LIMIT $4::bigint
            """)
    }
}
