import Testing

@testable import Flights

@Suite struct BusiestTableTests {
    @Test func theBusiestComeFirstAndColumnsAreAligned() throws {
        let busy = Logbook(
            lastLine: 9, flights: 12, cancelled: 1, diverted: 0, distance: 12_345, airTime: 605, delay: -18,
            position: .init(airport: "IAH", isReached: true, departure: 1))
        let lost = Logbook(
            lastLine: 8, flights: 2, cancelled: 0, diverted: 1, distance: 300, airTime: 61, delay: 9,
            position: .init(airport: "XNA", isReached: false, departure: 1))
        let table = BusiestTable(logbooks: ["N1": lost, "N22": busy, "N3": Logbook(lastLine: 1, cancelled: 1)])
        #expect(
            table.description == """
                The busiest of 3 aircraft

                  aircraft  flights  cancelled  diverted   miles   in the air  late on average  stands at
                  ────────  ───────  ─────────  ────────  ──────  ───────────  ───────────────  ──────────────────────────
                  N22            12          1         0  12,345  10 h 05 min           -2 min  IAH
                  N1              2          0         1     300   1 h 01 min            5 min  diverted on the way to XNA
                  N3              0          1         0       0   0 h 00 min                   not known: it never left
                """)
        #expect(BusiestTable(logbooks: [:]).description == "No aircraft flew.")
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1_000, "1,000"), (-12_345, "-12,345"), (1_000_001, "1,000,001"),
    ])
    func numbersHaveThousandsSeparators(number: Int, text: String) {
        #expect(number.grouped == text)
    }

    @Test func progressTellsRowsRateAndTimeLeft() {
        #expect(
            ProgressDisplay.text(done: 1_500, of: 6_000, milliseconds: 1_000, withBar: false)
                == "1,500 of 6,000 rows (25 %), 1,500 a second, 4 s left")
        #expect(
            ProgressDisplay.text(done: 3_000, of: 6_000, milliseconds: 1_000, withBar: true).hasPrefix(
                "███████████████░░░░░░░░░░░░░░░ 3,000"))
        #expect(
            ProgressDisplay.text(done: 0, of: 0, milliseconds: 0, withBar: false) == "0 of 0 rows (100 %), 0 a second")
    }
}
