import CrashWorkload
import Processes
import Testing

@testable import PerdureSQLite

/// A process is ended at every single call by which SQLite changes its files.
///
/// Whatever was acknowledged is there afterwards, and
/// nothing is there by half.
@Suite struct CrashPointTests {
    /// How the process, or the machine, ends at a point. The numbers are the shim's.
    enum Ending: Int, CaseIterable, CustomTestStringConvertible {
        case killedBefore = 1
        case killedInTheMiddle = 2
        case killedAfter = 3
        case powerLost = 4
        case powerLostUnevenly = 5

        var testDescription: String { "\(self)" }
    }

    @Test(arguments: Ending.allCases)
    func keepsWhatItAcknowledged(_ ending: Ending) async throws {
        var violations: [String] = []
        var point = 0
        // Bounded: the whole workload has a few hundred points.
        while point < 2_000 {
            point += 1
            let child = try await withTemporaryFolder { folder in
                let path = folder + "/states.sqlite"
                let child = try await ChildProcess.crashChild(["crash", path, "\(point)", "\(ending.rawValue)"])
                if !child.isFinished, child.signal != 9 {
                    violations.append("point \(point): the child ended with \(child)")
                }
                violations += child.violations.map { "point \(point): \($0)" }
                violations += try await Self.violations(in: path, after: child).map { "point \(point): \($0)" }
                return child
            }
            if child.isFinished { break }
        }
        print("crash points, \(ending): \(point - 1) points, \(violations.count) violations")
        #expect(violations.isEmpty, "\(violations.prefix(10))")
        #expect((100..<1_999).contains(point), "the shim did not stand in front of SQLite")
    }

    /// What is wrong with the file that a child has left.
    static func violations(in path: String, after child: ChildProcess) async throws -> [String] {
        var violations: [String] = []
        let store = try SQLiteStore(path)
        do throws(StoreError) { try await store.connect() } catch {
            return ["does not open: \(error.debugDescription)"]
        }
        for script in CrashScript.all {
            // An operation that is not acknowledged may have happened; the one after it cannot even have begun.
            let acknowledged =
                child.lines.compactMap { line -> Int? in
                    let words = line.split(separator: " ")
                    return words.count == 2 && words[0] == script.id ? Int(words[1]) : nil
                }.max() ?? 0
            let possible = [acknowledged, min(acknowledged + 1, script.operationCount)].map(script.content(after:))
            do throws(StoreError) {
                let found = try await Self.content(of: script.id, in: store)
                if !possible.contains(found) {
                    violations.append("\(script.id): \(acknowledged) acknowledged, found \(found)")
                }
            } catch {
                violations.append("\(script.id): \(error.debugDescription)")
            }
        }
        await store.disconnect()
        let connection = try SQLiteConnection(path, .readWrite(create: false))
        let verdict = try connection.text("PRAGMA integrity_check") ?? "nothing"
        if verdict != "ok" { violations.append("integrity check: \(verdict)") }
        connection.close()
        return violations
    }

    private static func content(
        of id: String, in store: SQLiteStore
    ) async throws(StoreError) -> CrashScript.Content {
        if let state = try await store.latestState(of: id) { return .alive(state) }
        // The version of a tombstone shows only in a conflict.
        do throws(StoreError) {
            try await store.delete(id, if: .version(1_000_000))
            return .nothing
        } catch {
            guard error.code == .conflict, let version = error.storedVersion else { throw error }
            return version == 0 ? .nothing : .deleted(version: version)
        }
    }
}
