import PerdureState

extension Flight {
    /// Reads a row; says in words what is wrong with it.
    init(line: Int, fields: [String], columns: Columns, calendar: inout Calendar) throws(RowFault) {
        guard fields.count == columns.count else {
            throw RowFault("\(fields.count) fields where the first line has \(columns.count)")
        }
        let row = FlightFields(fields: fields, columns: columns)
        let day = try calendar.dayNumber(
            year: row.number(.year, in: 1900...2999), month: row.number(.month, in: 1...12),
            day: row.number(.day, in: 1...31))
        let scheduled = try row.time(.scheduledDeparture)
        let departure = try row.optionalTime(.departure)
        let lateness = try row.optionalNumber(.departureDelay, in: FlightFields.delays)
        _ = try row.optionalTime(.arrival)
        _ = try row.optionalTime(.scheduledArrival)
        let delay = try row.optionalNumber(.arrivalDelay, in: FlightFields.delays)
        let airTime = try row.optionalNumber(.airTime, in: 1...1_440)

        self.line = line
        self.tailNumber = row.optionalText(.tailNumber)
        // A tail number becomes part of an entity's name, which has a rule and a limit.
        if let tailNumber, let violation = PersistenceID.violation(in: tailNumber) {
            throw RowFault("tailnum cannot be used: \(violation)")
        }
        if let tailNumber, tailNumber.utf8.count > 32 {
            throw RowFault("tailnum is \(tailNumber.utf8.count) bytes long; at most 32 are expected")
        }
        self.origin = try row.text(.origin)
        self.destination = try row.text(.destination)
        self.distance = try row.number(.distance, in: 0...25_000)
        guard let departure else {
            guard airTime == nil else { throw RowFault("air_time is \(airTime ?? 0), but the flight never departed") }
            self.outcome = .cancelled
            return
        }
        // The scheduled time has the row's date, the real one may be past midnight: so the delay tells the day.
        let minute = day * 1_440 + (lateness.map { scheduled + $0 } ?? departure)
        self.outcome =
            airTime.map { .arrived(departure: minute, delay: delay ?? 0, airTime: $0) } ?? .diverted(departure: minute)
    }
}

/// The fields of a row by the names of their columns.
private struct FlightFields {
    /// Wider than any delay that was ever recorded, and no wider.
    static let delays = -1_440...14_400

    let fields: [String]
    let columns: Columns

    func optionalText(_ name: Columns.Name) -> String? {
        let text = self.fields[self.columns[name]]
        return text.isEmpty || text == "NA" ? nil : text
    }

    func text(_ name: Columns.Name) throws(RowFault) -> String {
        guard let text = self.optionalText(name) else { throw RowFault("\(name.rawValue) is missing") }
        return text
    }

    func optionalNumber(_ name: Columns.Name, in range: ClosedRange<Int>) throws(RowFault) -> Int? {
        guard let text = self.optionalText(name) else { return nil }
        guard let number = Int(text) else {
            throw RowFault("\(name.rawValue) is \(text.debugDescription), not a whole number")
        }
        guard range.contains(number) else {
            throw RowFault("\(name.rawValue) is \(number); it can be \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func number(_ name: Columns.Name, in range: ClosedRange<Int>) throws(RowFault) -> Int {
        guard let number = try self.optionalNumber(name, in: range) else {
            throw RowFault("\(name.rawValue) is missing")
        }
        return number
    }

    /// A time of day in minutes, written as hours and minutes without anything between: 517 is 5:17.
    func optionalTime(_ name: Columns.Name) throws(RowFault) -> Int? {
        guard let number = try self.optionalNumber(name, in: 0...2_400) else { return nil }
        guard number % 100 < 60 else { throw RowFault("\(name.rawValue) is \(number): no hour has so many minutes") }
        return number / 100 * 60 + number % 100
    }

    func time(_ name: Columns.Name) throws(RowFault) -> Int {
        guard let time = try self.optionalTime(name) else { throw RowFault("\(name.rawValue) is missing") }
        return time
    }
}
