/// Where the columns are, by their names in the first line.
struct Columns: Sendable, Equatable {
    private(set) var count: Int
    private var positions: [Name: Int] = [:]

    /// The columns that the demo reads; a file may have more, in any order.
    enum Name: String, CaseIterable, Sendable {
        case year, month, day
        case departure = "dep_time"
        case scheduledDeparture = "sched_dep_time"
        case departureDelay = "dep_delay"
        case arrival = "arr_time"
        case scheduledArrival = "sched_arr_time"
        case arrivalDelay = "arr_delay"
        case tailNumber = "tailnum"
        case origin
        case destination = "dest"
        case airTime = "air_time"
        case distance
    }

    init(header: [String]) throws(RowFault) {
        self.count = header.count
        var missing: [String] = []
        for name in Name.allCases {
            let matches = header.indices.filter { header[$0] == name.rawValue }
            if matches.count > 1 { throw RowFault("the column \(name.rawValue) is named more than once") }
            if let match = matches.first { self.positions[name] = match } else { missing.append(name.rawValue) }
        }
        guard missing.isEmpty else {
            throw RowFault(
                "it must name the columns, and these are missing: \(missing.joined(separator: ", "))")
        }
    }

    /// The position of a column.
    subscript(name: Name) -> Int { self.positions[name] ?? self.count }
}
