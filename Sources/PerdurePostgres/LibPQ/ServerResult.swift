internal import CLibPQ

/// The rows that a statement returned, in the server's binary format; freed with the value.
struct ServerResult: ~Copyable {
    private let result: OpaquePointer

    /// Takes over `result`.
    init(owning result: OpaquePointer) { self.result = result }

    deinit { PQclear(self.result) }

    var rowCount: Int { Int(PQntuples(self.result)) }
    var columnCount: Int { Int(PQnfields(self.result)) }

    func isNull(_ row: Int, _ column: Int) -> Bool { PQgetisnull(self.result, CInt(row), CInt(column)) != 0 }

    /// Lends the bytes of a field; none where it is null or not there.
    func withBytes<Result>(_ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let count = Int(PQgetlength(self.result, CInt(row), CInt(column)))
        guard count > 0, let start = PQgetvalue(self.result, CInt(row), CInt(column)) else {
            return body(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        return body(UnsafeRawBufferPointer(start: start, count: count))
    }

    func bytes(_ row: Int, _ column: Int) -> [UInt8] { self.withBytes(row, column) { [UInt8]($0) } }

    func text(_ row: Int, _ column: Int) -> String {
        self.withBytes(row, column) { String(decoding: $0, as: UTF8.self) }
    }

    /// A `bigint`; nil where it is null or has another size.
    func integer(_ row: Int, _ column: Int) -> Int64? {
        self.withBytes(row, column) { bytes in
            bytes.count == 8 ? Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)) : nil
        }
    }

    /// A `boolean`; false where it is null.
    func boolean(_ row: Int, _ column: Int) -> Bool {
        self.withBytes(row, column) { $0.count == 1 && $0[0] == 1 }
    }

    /// A `uuid`; nil where it is null.
    func writeID(_ row: Int, _ column: Int) -> WriteID? {
        self.withBytes(row, column) { bytes in
            guard bytes.count == 16 else { return nil }
            return WriteID(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }
}
