/// What every connection of the store sets for its session, and why.
enum SessionSettings {
    static let statement = Statement(
        name: "perdure_session",
        sql: """
            SELECT current_setting('server_encoding'),
                CASE WHEN $1::text <> '' THEN set_config('search_path', $1, false) END,
                -- An acknowledged write is on the disk; a server that was told otherwise is overruled for us.
                CASE WHEN current_setting('synchronous_commit') = 'off'
                    THEN set_config('synchronous_commit', 'on', false) END,
                -- A statement that everybody has given up must not linger, nor one row's lock hold up a batch.
                set_config('statement_timeout', $2, false), set_config('lock_timeout', $3, false),
                -- Each statement sees what was committed before it began: what the conditions are written for.
                set_config('default_transaction_isolation', 'read committed', false),
                -- The plan never depends on statistics: rows are looked up by their IDs, in the order of the arrays.
                -- A hash or a merge would read a whole table for a handful of rows, and lock them in another order.
                set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false),
                set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),
                set_config('plan_cache_mode', 'force_generic_plan', false), set_config('jit', 'off', false)
            """)

    static func parameters(_ configuration: PostgresConfiguration) -> ParameterBuffer {
        var parameters = ParameterBuffer()
        parameters.append(configuration.schema.map(Self.quoted) ?? "")
        let longest = max(configuration.writeTimeout, configuration.readTimeout)
        parameters.append("\(Self.milliseconds(longest) + 1_000)ms")
        parameters.append("\(max(1, min(500, Self.milliseconds(configuration.writeTimeout) / 4)))ms")
        return parameters
    }

    /// A name as SQL takes it when it is quoted.
    static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return min(seconds, 1_000_000) * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
