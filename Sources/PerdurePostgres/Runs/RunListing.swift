internal import PerdureModel
internal import PerdureState
internal import PerdureWorkflow

/// The statements that look for runs by a filter: each walks one index in the order of the listing.
struct RunListing {
    let filter: RunFilter
    let now: Int64

    /// What no ID or name can be.
    var isEmpty: Bool {
        [
            self.filter.workflow, self.filter.resourceID, self.filter.parent, self.filter.tag?.name,
            self.filter.tag?.value,
        ]
        .contains { $0.map { PersistenceID.containsNUL($0) } ?? false } || self.filter.createdBefore == .min
    }

    /// Parameters that every statement has; what a filter does not set is not looked at.
    ///
    /// 1 workflow, 2 statuses, 3 resource, 4 parent, 5 tag's name, 6 its value, 7 from, 8 before, 9 now, 10 cursor's time, 11 its ID,
    /// 12 limit.
    private static let parameters = [
        "text", "text[]", "text", "text", "text", "text", "bigint", "bigint", "bigint", "bigint", "text", "bigint",
    ]

    private static func p(_ number: Int) -> String { "$\(number)::\(Self.parameters[number - 1])" }

    private var statuses: [String] {
        (self.filter.statuses.isEmpty ? Set(RunStatus.allCases) : self.filter.statuses).map(\.rawValue).sorted()
    }

    /// What tells statements apart.
    private var shape: String {
        let parts: [(Bool, Character)] = [
            (self.filter.workflow != nil, "w"), (!self.filter.statuses.isEmpty, "s"),
            (self.filter.resourceID != nil, "r"), (self.filter.parent != nil, "p"), (self.filter.tag != nil, "t"),
        ]
        return String(parts.compactMap { $0.0 ? $0.1 : nil })
    }

    /// Which rows, by which index, and whether once for each status.
    private var source: (from: String, sort: String, conditions: [String], isByStatus: Bool) {
        var rest = ["(r.expires_at IS NULL OR r.expires_at > \(Self.p(9)))"]
        func others(_ isByStatus: Bool, _ sort: String) -> [String] {
            if self.filter.workflow != nil { rest.append("r.workflow_id = \(Self.p(1))") }
            if isByStatus {
                rest.append("r.status = s.status")
            } else if !self.filter.statuses.isEmpty {
                rest.append("r.status = ANY (\(Self.p(2)))")
            }
            if self.filter.resourceID != nil { rest.append("r.resource_id = \(Self.p(3))") }
            if self.filter.parent != nil { rest.append("r.parent_run_id = \(Self.p(4))") }
            rest.append(
                "\(sort).created_at >= \(Self.p(7)) AND \(sort).created_at <= least(\(Self.p(8)), \(Self.p(10)))")
            rest.append("(\(sort).created_at < \(Self.p(10)) OR \(sort).run_id > \(Self.p(11)))")
            return rest
        }
        if self.filter.tag != nil {
            rest.append("t.name = \(Self.p(5)) AND t.value = \(Self.p(6))")
            return ("workflow_tags t JOIN workflow_runs r ON r.run = t.run", "t", others(false, "t"), false)
        }
        let isByStatus = self.filter.parent == nil && self.filter.resourceID == nil
        return ("workflow_runs r", "r", others(isByStatus, "r"), isByStatus)
    }

    func page(after place: RunPlace?, limit: Int) -> Exchange.Step {
        let source = self.source
        let inner = """
            SELECT r.run, \(source.sort).created_at, \(source.sort).run_id FROM \(source.from)
            WHERE \(source.conditions.joined(separator: " AND "))
            ORDER BY \(source.sort).created_at DESC, \(source.sort).run_id LIMIT \(Self.p(12))
            """
        let found =
            source.isByStatus
            ? "SELECT x.* FROM unnest(\(Self.p(2))) AS s(status) CROSS JOIN LATERAL (\(inner)) x"
                + " ORDER BY x.created_at DESC, x.run_id LIMIT \(Self.p(12))"
            : inner
        return self.step(
            "page",
            "SELECT \(RunRows.recordColumns) FROM (\(found)) f JOIN workflow_runs r ON r.run = f.run"
                + " JOIN workflow_inputs p ON p.run = r.run ORDER BY f.created_at DESC, f.run_id", place, limit)
    }

    func count() -> Exchange.Step {
        let source = self.source
        let inner = "SELECT count(*) AS n FROM \(source.from) WHERE \(source.conditions.joined(separator: " AND "))"
        let counted =
            source.isByStatus
            ? "SELECT sum(x.n)::bigint FROM unnest(\(Self.p(2))) AS s(status) CROSS JOIN LATERAL (\(inner)) x" : inner
        return self.step("count", counted, nil, 1)
    }

    private func step(_ name: String, _ sql: String, _ place: RunPlace?, _ limit: Int) -> Exchange.Step {
        // All parameters are named, so that each has a type in every statement.
        let all = Self.parameters.indices.map { "\(Self.p($0 + 1)) IS NULL" }.joined(separator: " OR ")
        let statement = Statement(
            name: "perdure_run_\(name)_\(self.shape)", sql: "WITH unused AS (SELECT \(all)) \(sql)")
        var p = ParameterBuffer()
        p.append(self.filter.workflow ?? "")
        p.append(arrayOf: .text, self.statuses) { $1.element($0) }
        p.append(self.filter.resourceID ?? "")
        p.append(self.filter.parent ?? "")
        p.append(self.filter.tag?.name ?? "")
        p.append(self.filter.tag?.value ?? "")
        p.append(self.filter.createdFrom ?? .min)
        // The last time of all is one before this; what is created at it has no end.
        p.append(self.filter.createdBefore.map { $0 == .min ? .min : $0 - 1 } ?? .max)
        p.append(self.now)
        p.append(place?.createdAt ?? .max)
        p.append(place?.id ?? "")
        p.append(Int64(limit))
        return Exchange.Step(statement: statement, parameters: p)
    }
}
