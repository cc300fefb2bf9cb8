import Glibc
import Testing

/// A file that is gone after the test.
final class TemporaryFile: Sendable {
    let path: String

    init(_ content: some Sequence<UInt8>) throws {
        var template = Array("/tmp/flights-test-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        self.path = template.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
        let bytes = Array(content)
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
    }

    convenience init(_ text: String) throws { try self.init(text.utf8) }

    deinit { unlink(self.path) }
}

/// Rows to make files of.
enum Sample {
    static let header =
        "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,tailnum,origin,dest,air_time,distance"
    static let arrived = "2013,1,1,517,515,2,830,819,11,N14228,EWR,IAH,227,1400"
    static let diverted = "2013,1,1,1525,1530,-5,1934,1805,NA,N719MQ,LGA,XNA,NA,1147"
    static let cancelled = "2013,1,7,NA,1220,NA,NA,1415,NA,N474AA,LGA,STL,NA,888"
    static let unnamed = "2013,1,7,NA,820,NA,NA,958,NA,NA,JFK,BUF,NA,301"

    static func file(_ rows: String..., end: String = "\n") -> String {
        ([self.header] + rows).map { $0 + end }.joined()
    }
}
