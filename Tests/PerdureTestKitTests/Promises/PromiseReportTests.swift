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
            self.report.json == #"{"store":"s","seed":"18446744073709551615","kept":1,"broken":1,"notOffered":1,"#
                + #""notTested":1,"promises":[{"number":1,"name":"reads","verdict":"kept","microseconds":12},"#
                + #"{"number":4,"name":"lets \"one\" win","verdict":"broken","expected":"one","found":"two\u000a","#
                + #""location":"M/F.swift:1","microseconds":3},"#
                + #"{"number":8,"name":"unreadable","verdict":"notTested","reason":"no way","microseconds":0},"#
                + #"{"number":11,"name":"lists","verdict":"notOffered","reason":"cannot list","microseconds":0}]}"#)
    }

    @Test func tellsTheWholeStoryOnOneLine() {
        #expect(
            Self.broken.description
                == "promise 4 is broken: lets \"one\" win: expected one; found two\n (seed 7, M/F.swift:1)")
    }
}
