import Testing

@testable import Flights

@Suite struct FlightReaderTests {
    /// All rows of a file, in order.
    private func rows(_ text: String) throws -> [FlightReader.Row] {
        let file = try TemporaryFile(text)
        let reader = try FlightReader(path: file.path)
        var rows: [FlightReader.Row] = []
        while let row = try reader.next() { rows.append(row) }
        return rows
    }

    /// Why the second line of a file is bad; nil if it is good.
    private func fault(_ row: String) throws -> String? {
        let rows = try self.rows(Sample.file(row, Sample.arrived))
        #expect(rows.count == 2)
        guard case .flight(let next) = rows.last else {
            Issue.record("the row after it was lost")
            return nil
        }
        #expect(next.line == 3)
        guard case .bad(line: 2, let fault) = rows.first else { return nil }
        return fault.description
    }

    /// Midnight of the first of January 2013.
    private let newYear = 15_706 * 1_440

    @Test func theThreeOutcomes() throws {
        let rows = try self.rows(Sample.file(Sample.arrived, Sample.diverted, Sample.cancelled, Sample.unnamed))
        #expect(
            rows == [
                .flight(
                    Flight(
                        line: 2, tailNumber: "N14228", origin: "EWR", destination: "IAH", distance: 1_400,
                        outcome: .arrived(departure: self.newYear + 5 * 60 + 17, delay: 11, airTime: 227))),
                .flight(
                    Flight(
                        line: 3, tailNumber: "N719MQ", origin: "LGA", destination: "XNA", distance: 1_147,
                        outcome: .diverted(departure: self.newYear + 15 * 60 + 25))),
                .flight(
                    Flight(
                        line: 4, tailNumber: "N474AA", origin: "LGA", destination: "STL", distance: 888,
                        outcome: .cancelled)),
                .flight(
                    Flight(
                        line: 5, tailNumber: nil, origin: "JFK", destination: "BUF", distance: 301,
                        outcome: .cancelled)),
            ])
    }

    @Test func aDelayOverMidnightIsTheNextDay() throws {
        let rows = try self.rows(Sample.file("2013,1,1,115,2245,150,300,130,90,N1,EWR,IAH,90,1400"))
        guard case .flight(let flight) = rows.first, case .arrived(let departure, _, _) = flight.outcome else {
            Issue.record("not an arrival: \(rows)")
            return
        }
        #expect(departure == self.newYear + 1_440 + 75)
    }

    @Test func linesMayEndInEitherWayAndTheLastOneNotAtAll() throws {
        let expected = try self.rows(Sample.file(Sample.arrived, Sample.diverted))
        #expect(try self.rows(Sample.file(Sample.arrived, Sample.diverted, end: "\r\n")) == expected)
        #expect(try self.rows("\u{feff}" + Sample.header + "\n" + Sample.arrived + "\n" + Sample.diverted) == expected)
    }

    @Test func blankLinesAreNoRowsButAreLines() throws {
        let rows = try self.rows(Sample.header + "\n\n  \n" + Sample.arrived + "\n\n")
        guard case .flight(let flight) = rows.first else {
            Issue.record("no flight: \(rows)")
            return
        }
        #expect(rows.count == 1)
        #expect(flight.line == 4)
    }

    @Test func columnsAreFoundByName() throws {
        let text = #"""
            carrier,distance,air_time,dest,origin,tailnum,arr_delay,sched_arr_time,arr_time,dep_delay,sched_dep_time,dep_time,day,month,year
            "Über, ""Air""",1400,227,IAH,EWR,"N14228",11,819,830,2,515,517,1,1,2013
            """#
        #expect(try self.rows(text) == self.rows(Sample.file(Sample.arrived)))
    }

    @Test(arguments: [
        ("2013,1,1,517", "4 fields where the first line has 14"),
        ("2013,1,1,517,515,2,830,819,11,N14228,EWR,IAH,227,1400,x", "15 fields where the first line has 14"),
        ("2013,1,1,5x7,515,2,830,819,11,N14228,EWR,IAH,227,1400", "dep_time is \"5x7\", not a whole number"),
        ("2013,1,1,517,515,2,830,819,11,N14228,EWR,IAH,227,14.5", "distance is \"14.5\", not a whole number"),
        ("2013,1,1,2575,515,2,830,819,11,N14228,EWR,IAH,227,1400", "dep_time is 2575; it can be 0 to 2400"),
        ("2013,1,1,1260,515,2,830,819,11,N14228,EWR,IAH,227,1400", "dep_time is 1260: no hour has so many minutes"),
        ("2013,1,1,517,515,2,890,819,11,N14228,EWR,IAH,227,1400", "arr_time is 890: no hour has so many minutes"),
        ("2013,1,1,517,515,2,830,819,11,N14228,EWR,IAH,-5,1400", "air_time is -5; it can be 1 to 1440"),
        ("2013,1,1,517,515,2,830,819,11,N14228,EWR,IAH,227,-1", "distance is -1; it can be 0 to 25000"),
        ("2013,1,1,517,515,2,830,819,11,N14228,EWR,IAH,227,NA", "distance is missing"),
        (
            "2013,1,1,517,515,2,830,819,11,N14228,EWR,IAH,99999999999999999999,1400",
            "air_time is \"99999999999999999999\", not a whole number"
        ),
        ("2013,2,29,517,515,2,830,819,11,N14228,EWR,IAH,227,1400", "day is 29, but month 2 of 2013 has 28 days"),
        ("2013,13,1,517,515,2,830,819,11,N14228,EWR,IAH,227,1400", "month is 13; it can be 1 to 12"),
        ("2013,1,1,517,515,2,830,819,11,N14228,,IAH,227,1400", "origin is missing"),
        ("2013,1,1,NA,515,NA,NA,819,NA,N14228,EWR,IAH,227,1400", "air_time is 227, but the flight never departed"),
        ("2013,1,1,517,515,2,830,819,11,\"N14228,EWR,IAH,227,1400", "a quoted field does not end on its line"),
        ("2013,1,1,517,515,2,830,819,11,\"N14\"228,EWR,IAH,227,1400", "something follows a closing quote"),
    ])
    func aBadRowSaysWhyAndTheNextOneIsRead(row: String, reason: String) throws {
        #expect(try self.fault(row) == reason)
    }

    @Test func textThatIsNotUTF8IsABadRow() throws {
        var bytes = Array(Sample.file(Sample.arrived, Sample.arrived).utf8)
        let place = try #require(bytes.firstIndex(of: UInt8(ascii: "N")))
        bytes[place] = 0xff
        let file = try TemporaryFile(bytes)
        let reader = try FlightReader(path: file.path)
        #expect(try reader.next() == .bad(line: 2, RowFault("the text is not UTF-8")))
        guard case .flight = try reader.next() else {
            Issue.record("the row after it was lost")
            return
        }
    }

    @Test func aLineWithoutEndDoesNotFillTheMemory() throws {
        let long = String(repeating: "x", count: 3 << 20)
        let rows = try self.rows(Sample.file(long, Sample.arrived))
        #expect(rows.first == .bad(line: 2, RowFault("the line is longer than 65536 bytes")))
        #expect(rows.count == 2)
    }

    @Test func linesAcrossPiecesOfTheFileStayWhole() throws {
        let count = 20_000
        let rows = try self.rows(Sample.header + "\n" + String(repeating: Sample.arrived + "\n", count: count))
        #expect(rows.count == count)
        for (index, row) in rows.enumerated() {
            guard case .flight(let flight) = row, flight.line == index + 2, flight.distance == 1_400 else {
                Issue.record("row \(index): \(row)")
                return
            }
        }
    }

    @Test func aFileWithoutItsColumnsIsRefused() throws {
        let empty = try TemporaryFile("")
        #expect(throws: FileError.self) { try FlightReader(path: empty.path) }
        let headless = try TemporaryFile(Sample.arrived + "\n")
        #expect(throws: FileError.self) { try FlightReader(path: headless.path) }
        let short = try TemporaryFile(String(Sample.header.dropFirst(5)) + "\n")
        #expect(throws: FileError.self) { try FlightReader(path: short.path) }
        #expect(throws: FileError.self) { try FlightReader(path: "/nowhere/at/all.csv") }
        #expect(throws: FileError.self) { try FlightReader(path: "/tmp") }
    }

    @Test func theSurveyCountsRowsAndKnowsFilesApart() throws {
        let one = try TemporaryFile(Sample.file(Sample.arrived, Sample.diverted))
        let same = try TemporaryFile(Sample.file(Sample.arrived, Sample.diverted))
        let other = try TemporaryFile(Sample.file(Sample.diverted, Sample.arrived))
        #expect(try FileSurvey(path: one.path).rowCount == 2)
        #expect(try FileSurvey(path: one.path) == FileSurvey(path: same.path))
        #expect(try FileSurvey(path: one.path).fingerprint != FileSurvey(path: other.path).fingerprint)
    }
}
