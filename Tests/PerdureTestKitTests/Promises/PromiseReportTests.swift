import Testing

@testable import PerdureTestKit

@Suite struct PromiseReportTests {
    static let broken = BrokenPromise(
        number: 4, name: "lets \"one\" win", expected: "one", found: "two\n", seed: 7, location: "M/F.swift:1")
    let report = PromiseReport(
        store: "s", seed: .max,
        entries: [
            .init(number: 1, name: "reads", verdict: .kept, microseconds: 12),
            .init(number: 4, name: "lets \"one\" win", verdict: .broken(broken), microseconds: 3),
            .init(number: 8, name: "unreadable", verdict: .notTested("no way"), microseconds: 0),
            .init(number: 11, name: "lists", verdict: .notOffered("cannot list"), microseconds: 0),
        ])

    @Test func printsAsAChecklist() {
        #expect(
            self.report.description == """
                Promises of s

                1. Reads return what was written
                   ✓ reads

                4. One of several writers wins
                   ✗ lets "one" win
                       expected  one
                       found     two

                       at        M/F.swift:1

                8. Unreadable rows are errors
                   – unreadable: not tested, no way

                11. Listing
                   – lists: not offered, cannot list

                1 kept, 1 broken, 1 not offered, 1 not tested; seed 18446744073709551615
                """)
        #expect(!self.report.isKept)
    }

    @Test func isOneLineOfJSON() {
        #expect(
            self.report.json
                == #"{"contract":"states","store":"s","seed":"18446744073709551615","kept":1,"broken":1,"notOffered":1,"#
                + #""notTested":1,"promises":[{"number":1,"title":"Reads return what was written","name":"reads","verdict":"kept","microseconds":12},"#
                + #"{"number":4,"title":"One of several writers wins","name":"lets \"one\" win","verdict":"broken","expected":"one","found":"two\u000a","#
                + #""location":"M/F.swift:1","microseconds":3},"#
                + #"{"number":8,"title":"Unreadable rows are errors","name":"unreadable","verdict":"notTested","reason":"no way","microseconds":0},"#
                + #"{"number":11,"title":"Listing","name":"lists","verdict":"notOffered","reason":"cannot list","microseconds":0}]}"#
        )
    }

    @Test func isALineOfJSONForEachPromise() {
        var report = self.report
        report.contract = .runs
        #expect(
            report.jsonLines.first
                == #"{"contract":"runs","number":1,"title":"Snapshots have what was stored","name":"reads","#
                + #""verdict":"kept","microseconds":12,"seed":"18446744073709551615"}"#)
        #expect(report.jsonLines.count == 4)
    }

    /// Whoever could not keep up is asked again alone, until one fails alone as well.
    @Test func triesAgainOnlyWhatCouldNotKeepUp() async {
        func entry(_ number: Int, isOverload: Bool) -> PromiseReport.Entry {
            var broken = Self.broken
            broken.isOverload = isOverload
            return .init(number: number, name: "\(number)", verdict: .broken(broken), microseconds: 1)
        }
        let first = [true, false, true, true].enumerated().map { entry($0.offset, isOverload: $0.element) }
        for (isKept, asked) in [(true, [0, 2, 3]), (false, [0])] {
            var numbers: [Int] = []
            let again = await PromiseReport.tryingAgain(first, of: Array(0..<4)) { number in
                numbers.append(number)
                return isKept
                    ? .init(number: number, name: "\(number)", verdict: .kept, microseconds: 2)
                    : entry(number, isOverload: true)
            }
            #expect(numbers == asked)
            #expect(again.count { $0.verdict == .kept } == (isKept ? 3 : 0))
            let report = PromiseReport(store: "s", seed: 1, entries: again)
            #expect(report.description.contains("at the second try, alone; at the first: two") == isKept)
            #expect(report.summary.hasSuffix(isKept ? ", 3 at the second try; seed 1" : " 0 not tested; seed 1"))
            #expect(report.jsonLines[0].contains(#""remark":"at the second try"#) == isKept)
        }
    }

    @Test func tellsTheWholeStoryOnOneLine() {
        #expect(
            Self.broken.description
                == "promise 4 is broken: lets \"one\" win: expected one; found two\n (seed 7, M/F.swift:1)")
    }
}
