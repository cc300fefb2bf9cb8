import CrashWorkload
import Processes
import Testing

@testable import PerdureSQLite

/// The disk fails, or is full, at every single call by which SQLite changes its files.
///
/// Each write then says truly whether it may have
/// happened, and once the disk works again the store does.
@Suite struct DiskFaultTests {
    /// What the calls answer. The numbers are the shim's.
    enum Fault: Int, CaseIterable, CustomTestStringConvertible {
        case inputOutputError = 6
        case diskFull = 7

        var testDescription: String { "\(self)" }
    }

    /// One call fails, or several in a row: the repetitions of a write among them.
    @Test(arguments: Fault.allCases, [1, 15])
    func saysTheOutcomeAndRecovers(_ fault: Fault, length: Int) async throws {
        var violations: [String] = []
        var codes: [String: Int] = [:]
        var point = 0
        while point < 2_000 {
            // Neighbouring points of a long failure are much the same.
            point += length == 1 ? 1 : 5
            let child = try await withTemporaryFolder { folder in
                let path = folder + "/states.sqlite"
                let child = try await ChildProcess.crashChild(
                    ["fault", path, "\(point)", "\(fault.rawValue)", "\(length)"])
                if !child.isFinished { violations.append("point \(point): the child ended with \(child)") }
                violations += child.violations.map { "point \(point): \($0)" }
                violations += try await CrashPointTests.violations(in: path, after: child).map {
                    "point \(point): \($0)"
                }
                return child
            }
            for line in child.lines where line.hasPrefix("failed") {
                codes[line.split(separator: " ").suffix(2).joined(separator: " "), default: 0] += 1
            }
            let calls = child.lines.last.flatMap { Int($0.dropFirst("done ".count)) } ?? 0
            if point > calls { break }
        }
        print("disk faults, \(fault) × \(length): \(point) points, \(violations.count) violations; \(codes)")
        #expect(violations.isEmpty, "\(violations.prefix(10))")
        #expect((100..<1_999).contains(point), "the shim did not stand in front of SQLite")
    }
}
