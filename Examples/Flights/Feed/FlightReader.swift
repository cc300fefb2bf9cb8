/// Reads the rows of a file one after the other.
final class FlightReader {
    private var lines: LineReader
    private var calendar = Calendar()
    private var line: [UInt8] = []
    private let columns: Columns

    enum Row: Sendable, Equatable {
        case flight(Flight)
        case bad(line: Int, RowFault)
    }

    /// Opens the file and reads its first line, which names the columns.
    init(path: String) throws(FileError) {
        let lines = try LineReader(path: path)
        var line: [UInt8] = []
        guard try lines.next(into: &line) else {
            throw FileError("\(path) is empty; its first line should name the columns")
        }
        self.columns = try Self.columns(line, in: path)
        self.lines = lines
    }

    private static func columns(_ line: [UInt8], in path: String) throws(FileError) -> Columns {
        do throws(RowFault) {
            return try Columns(header: CSVRow(line).fields)
        } catch {
            throw FileError("\(path), line 1: \(error)")
        }
    }

    /// The next row; blank lines are none. Nil at the end of the file.
    func next() throws(FileError) -> Row? {
        while try self.lines.next(into: &self.line) {
            if self.line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) { continue }
            do throws(RowFault) {
                return .flight(try self.parseLine())
            } catch {
                return .bad(line: self.lines.lineNumber, error)
            }
        }
        return nil
    }

    private func parseLine() throws(RowFault) -> Flight {
        guard self.line.count <= LineReader.maximumLineByteCount else {
            throw RowFault("the line is longer than \(LineReader.maximumLineByteCount) bytes")
        }
        let row = try CSVRow(self.line)
        return try Flight(
            line: self.lines.lineNumber, fields: row.fields, columns: self.columns, calendar: &self.calendar)
    }
}
