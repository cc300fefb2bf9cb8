/// What a connection found out about the tables: where they are, and which of our columns they have.
struct TableLayout: Hashable, Sendable {
    /// The schema in which `states_store` was found, quoted as SQL needs it.
    let schema: String
    /// Whether rows keep the ID of the write that made them, and tombstones are kept: false for a table that only eGo's
    /// instructions made.
    let isExtended: Bool

    var statements: StateStatements { StateStatements(self) }

    /// Looks for the tables through the search path. No row: there is no such table.
    static let query = Statement(
        name: "perdure_layout",
        sql: """
            SELECT quote_ident(n.nspname),
                EXISTS (SELECT FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attname = 'write_id' AND NOT a.attisdropped),
                EXISTS (SELECT FROM pg_catalog.pg_class t
                    WHERE t.relnamespace = c.relnamespace AND t.relname = 'states_tombstones')
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = pg_catalog.to_regclass('states_store')
            """)

    /// What the answer to ``query`` says.
    enum Finding: Hashable, Sendable {
        case missing
        case found(TableLayout)
        /// One of our additions is there and the other is not.
        case half(schema: String)

        init(_ rows: borrowing ServerResult) {
            guard rows.rowCount > 0 else {
                self = .missing
                return
            }
            let schema = rows.text(0, 0)
            switch (rows.boolean(0, 1), rows.boolean(0, 2)) {
            case (true, true): self = .found(TableLayout(schema: schema, isExtended: true))
            case (false, false): self = .found(TableLayout(schema: schema, isExtended: false))
            default: self = .half(schema: schema)
            }
        }
    }
}
