internal import PerdureModel
internal import PerdureWorkflow

/// Listing and counting: each page is put together from places in indexes, so that no page looks at more than it shows.
struct RunListing {
    let filter: RunFilter
    let now: Int64

    /// A value for a parameter.
    private enum Value {
        case text(String)
        case integer(Int64)
    }

    /// Where some of the runs are found in the order of the listing.
    private struct Source {
        let table: Table
        let conditions: [(sql: String, value: Value)]
    }

    /// A table with what the listing is ordered by: runs are `r` wherever they are, tags are `t`.
    private enum Table: String {
        case runs = "workflow_runs r"
        case tags = "workflow_tags t CROSS JOIN workflow_runs r ON r.run = t.run"

        var alias: String { self == .runs ? "r" : "t" }
    }

    // MARK: Pages

    /// The places of the first `limit` runs after a place.
    func places(
        after start: RunPlace?, limit: Int, in rows: RunRows
    ) throws(SQLiteFailure) -> [(place: RunPlace, run: Int64)] {
        var found: [(place: RunPlace, run: Int64)] = []
        for source in try self.sources(in: rows) {
            var some: [(place: RunPlace, run: Int64)] = []
            if let start {
                let place = source.table.alias
                some = try self.places(
                    in: source,
                    [("\(place).created_at = ?", .integer(start.createdAt)), ("\(place).run_id > ?", .text(start.id))],
                    limit, rows)
            }
            if some.count < limit {
                some += try self.places(
                    in: source, start.map { [("\(source.table.alias).created_at < ?", .integer($0.createdAt))] } ?? [],
                    limit - some.count, rows)
            }
            found += some
        }
        found.sort { $0.place < $1.place }
        return Array(found.prefix(limit))
    }

    private func places(
        in source: Source, _ more: [(sql: String, value: Value)], _ limit: Int, _ rows: RunRows
    ) throws(SQLiteFailure) -> [(place: RunPlace, run: Int64)] {
        let all = source.conditions + more + self.residue(of: source)
        let place = source.table.alias
        let sql = Self.sql(
            "\(place).created_at, \(place).run_id, \(place).run", source, all.map(\.sql),
            "ORDER BY \(place).created_at DESC, \(place).run_id LIMIT ?")
        return try rows.cache.rows(
            sql, { Self.bind(all.map(\.value) + [.integer(Int64(limit))], to: $0) }
        ) { row throws(SQLiteFailure) in
            (RunPlace(createdAt: row.integer(at: 0), id: try row.string(at: 1)), row.integer(at: 2))
        }
    }

    // MARK: Counts

    func count(in rows: RunRows) throws(SQLiteFailure) -> Int {
        var count = 0
        for source in try self.sources(in: rows) {
            let all = source.conditions + self.residue(of: source)
            let sql = Self.sql("count(*)", source, all.map(\.sql), "")
            count += try rows.cache.row(sql, { Self.bind(all.map(\.value), to: $0) }) { Int($0.integer(at: 0)) } ?? 0
        }
        return count
    }

    // MARK: Sources

    /// The narrowest index that there is for the filter; without one, every workflow and status by itself.
    private func sources(in rows: RunRows) throws(SQLiteFailure) -> [Source] {
        if let tag = self.filter.tag {
            return [
                Source(
                    table: .tags,
                    conditions: [("t.name = ?", .text(tag.name)), ("t.value = ?", .text(tag.value))])
            ]
        }
        if let parent = self.filter.parent {
            return [Source(table: .runs, conditions: [("r.parent_run_id = ?", .text(parent))])]
        }
        if let resource = self.filter.resourceID {
            return [Source(table: .runs, conditions: [("r.resource_id = ?", .text(resource))])]
        }
        var workflows: [String] = []
        if let workflow = self.filter.workflow {
            workflows.append(workflow)
        } else {
            workflows = try Self.workflows(in: rows)
        }
        let statuses = self.filter.statuses.isEmpty ? Set(RunStatus.allCases) : self.filter.statuses
        return workflows.flatMap { workflow in
            statuses.map { status in
                Source(
                    table: .runs,
                    conditions: [("r.workflow_id = ?", .text(workflow)), ("r.status = ?", .text(status.rawValue))])
            }
        }
    }

    static let nextWorkflow = "SELECT min(workflow_id) FROM workflow_runs WHERE workflow_id > ?1"

    /// All workflows that there are runs of; a step in the index for each.
    private static func workflows(in rows: RunRows) throws(SQLiteFailure) -> [String] {
        var workflows: [String] = []
        if try rows.cache.row(
            "SELECT 1 FROM workflow_runs WHERE workflow_id = ?1 LIMIT 1", { $0.bind("", at: 1) }, { _ in true }) != nil
        {
            workflows.append("")
        }
        while true {
            let last = workflows.last ?? ""
            let next = try rows.cache.row(self.nextWorkflow, { $0.bind(last, at: 1) }) { row throws(SQLiteFailure) in
                try row.optionalString(at: 0)
            }
            guard let next, let name = next else { return workflows }
            workflows.append(name)
        }
    }

    /// What the source has not looked at.
    private func residue(of source: Source) -> [(sql: String, value: Value)] {
        var conditions: [(sql: String, value: Value)] = [("ifnull(r.expires_at > ?, 1)", .integer(self.now))]
        if let from = self.filter.createdFrom {
            conditions.append(("\(source.table.alias).created_at >= ?", .integer(from)))
        }
        if let before = self.filter.createdBefore {
            conditions.append(("\(source.table.alias).created_at < ?", .integer(before)))
        }
        let isByWorkflow = source.conditions.contains { $0.sql == "r.workflow_id = ?" }
        if isByWorkflow { return conditions }
        if let workflow = self.filter.workflow { conditions.append(("r.workflow_id = ?", .text(workflow))) }
        if let resource = self.filter.resourceID { conditions.append(("r.resource_id = ?", .text(resource))) }
        if let parent = self.filter.parent { conditions.append(("r.parent_run_id = ?", .text(parent))) }
        if !self.filter.statuses.isEmpty {
            // A fixed number of parameters keeps the number of statements small; a repeated one does no harm.
            let statuses = self.filter.statuses.map(\.rawValue).sorted()
            let padded = (0..<RunStatus.allCases.count).map { statuses[min($0, statuses.count - 1)] }
            conditions.append(("r.status IN (?", .text(padded[0])))
            for status in padded.dropFirst().dropLast() { conditions.append((", ?", .text(status))) }
            conditions.append((", ?)", .text(padded[padded.count - 1])))
        }
        return conditions
    }

    private static func sql(_ columns: String, _ source: Source, _ conditions: [String], _ end: String) -> String {
        var text = "SELECT \(columns) FROM \(source.table.rawValue) WHERE "
        for (number, condition) in conditions.enumerated() {
            if number > 0, !condition.hasPrefix(",") { text += " AND " }
            text += condition
        }
        return "\(text) \(end)"
    }

    private static func bind(_ values: [Value], to statement: borrowing SQLiteStatement) {
        for (number, value) in values.enumerated() {
            switch value {
            case .text(let text): statement.bind(text, at: Int32(number + 1))
            case .integer(let integer): statement.bind(integer, at: Int32(number + 1))
            }
        }
    }
}
