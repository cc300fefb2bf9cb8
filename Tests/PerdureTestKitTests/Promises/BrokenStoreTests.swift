import PerdureTestKit
import Testing

/// A store that breaks something, and which promises the suite must and may report for it.
struct Suspect: Sendable, CustomTestStringConvertible {
    let name: String
    let must: Set<Int>
    /// What may be reported besides: consequences, some of them only with luck.
    let may: Set<Int>
    let fixture: StateStoreFixture

    init(
        _ number: Int, _ name: String, also must: Set<Int> = [], maybe may: Set<Int> = [], _ fixture: StateStoreFixture
    ) {
        (self.name, self.must, self.may, self.fixture) = (name, must.union([number]), may, fixture)
    }

    init(
        _ number: Int, _ name: String, also must: Set<Int> = [], maybe may: Set<Int> = [],
        _ makeStore: @escaping @Sendable () -> any StateStore
    ) {
        self.init(number, name, also: must, maybe: may, StateStoreFixture(name, makeStore: makeStore))
    }

    var testDescription: String { self.name }

    static let all: [Suspect] = [
        // 1
        Suspect(1, "truncates large payloads", also: [7]) { TruncatesLargePayloads() },
        Suspect(1, "drops a zero byte at the end", maybe: [7]) { DropsLastZeroByte() },
        Suspect(1, "repairs payloads as text", also: [7]) { RepairsPayloadsAsText() },
        Suspect(1, "rounds versions", maybe: [6]) { RoundsVersions() },
        Suspect(1, "trims manifests") { TrimsManifests() },
        Suspect(1, "narrows shards") { NarrowsShards() },
        Suspect(1, "forgets when disconnected", also: [5]) { ForgetsWhenDisconnected() },
        // 2
        Suspect(2, "reads stale") { ReadsStale() },
        Suspect(2, "shares reads that are under way") { SharesReadsUnderWay() },
        Suspect(2, "loses acknowledged writes", maybe: [4]) { LosesAcknowledgedWrites() },
        // 3
        Suspect(3, "ignores conditions", also: [4, 5, 6], maybe: [2, 10]) { IgnoresConditions() },
        Suspect(3, "replaces earlier versions", also: [5], maybe: [2]) { ReplacesEarlierVersions() },
        Suspect(3, "reports the wrong version", also: [6], maybe: [2, 4, 10]) { ReportsTheWrongVersion() },
        Suspect(3, "keeps the greater version", maybe: [2]) { KeepsTheGreaterVersion() },
        // 4
        Suspect(4, "checks, then writes", maybe: [2]) { ChecksThenWrites() },
        Suspect(4, "creates twice", maybe: [2]) { CreatesTwice() },
        // 5
        Suspect(5, "is unsure of conflicts", maybe: [2]) { IsUnsureOfConflicts() },
        Suspect(5, "stays open") { StaysOpen() },
        Suspect(5, "stays closed") { StaysClosed() },
        Suspect(5, "conflicts with itself after a lost answer", LosesAnswers.fixture(.sendAgain)),
        Suspect(5, "denies a write whose answer was lost", LosesAnswers.fixture(.deny)),
        Suspect(5, "pretends that a lost write happened", LosesAnswers.fixture(.pretend)),
        // 6
        Suspect(6, "forgets tombstones", maybe: [2, 4]) { ForgetsTombstones() },
        Suspect(6, "deletes unconditionally", also: [5], maybe: [2, 4]) { DeletesUnconditionally() },
        Suspect(6, "refuses to delete nothing", maybe: [2]) { RefusesToDeleteNothing() },
        // 7
        Suspect(7, "cuts what is too large") { CutsWhatIsTooLarge() },
        Suspect(7, "hides its limit") { HidesItsLimit() },
        Suspect(7, "writes in pieces") { WritesInPieces() },
        // 8
        Suspect(8, "reads unreadable rows as empty", Corruptible.fixture(.readAsEmpty)),
        Suspect(8, "reads unreadable rows as absent", Corruptible.fixture(.readAsAbsent)),
        Suspect(8, "does not say which row is unreadable", Corruptible.fixture(.reportWithoutID)),
        Suspect(8, "takes unreadable rows for an outage", Corruptible.fixture(.reportAsUnavailable)),
        Suspect(8, "fails the neighbours of an unreadable row", Corruptible.fixture(.failNeighbours)),
        // 9
        Suspect(9, "applies after saying cancelled") { AppliesAfterCancellation() },
        Suspect(9, "acknowledges cancelled writes") { AcknowledgesCancelledWrites() },
        Suspect(9, "finds nothing when cancelled") { FindsNothingWhenCancelled() },
        // 10
        Suspect(10, "ignores the case of IDs") { MapsIDs.lowercasing() },
        Suspect(10, "trims IDs", maybe: [1]) { MapsIDs.trimming() },
        Suspect(10, "normalizes IDs") { MapsIDs.normalizing() },
        Suspect(10, "truncates IDs at 254 bytes") { MapsIDs.truncating() },
        Suspect(10, "takes IDs with NUL") { MapsIDs.endingAtNUL() },
        Suspect(10, "does not escape IDs") { MapsIDs.unescaped() },
        Suspect(10, "refuses IDs with number signs") { RefusesUnusualIDs() },
        // 11
        Suspect(11, "skips an ID at page borders") { ListsWrongly(.skipAtBorders) },
        Suspect(11, "repeats an ID at page borders") { ListsWrongly(.repeatAtBorders) },
        Suspect(11, "takes wildcards in prefixes") { ListsWrongly(.takeWildcards) },
        Suspect(11, "compares prefixes as Swift strings") { ListsWrongly(.compareAsStrings) },
        Suspect(11, "ignores the case of prefixes") { ListsWrongly(.ignoreCase) },
        Suspect(11, "lists what was deleted") { ListsWrongly(.listDeleted) },
        Suspect(11, "takes pages of any size") { ListsWrongly(.takeAnyLimit) },
        Suspect(11, "lists in changing order") { ListsWrongly(.shuffle) },
        Suspect(11, "overfills pages") { ListsWrongly(.overfill) },
        // 12
        Suspect(12, "mixes up the results of reads", maybe: [8]) { BatchesWrongly(.reverseReads) },
        Suspect(12, "mixes up the results of writes") { BatchesWrongly(.reverseWrites) },
        Suspect(12, "fails a batch together") { BatchesWrongly(.failTogether) },
        Suspect(12, "leaves out what is absent") { BatchesWrongly(.dropAbsent) },
        Suspect(12, "writes a batch backwards") { BatchesWrongly(.writeBackwards) },
        Suspect(12, "stops a batch at the first failure") { BatchesWrongly(.stopAtFailure) },
        // 13
        Suspect(13, "skips a change at page borders") { TellsChangesWrongly(.skipAtBorders) },
        Suspect(13, "forgets deletions") { TellsChangesWrongly(.forgetDeletions) },
        Suspect(13, "tells changes again") { TellsChangesWrongly(.repeatTheLast) },
        Suspect(13, "tells changes backwards") { TellsChangesWrongly(.reverse) },
        // 14
        Suspect(14, "sends tasks to and fro") { SendsTasksToAndFro() },
    ]
}

/// The suite is held to stores of which we know what is wrong with them.
@Suite(.serialized) struct BrokenStoreTests {
    /// Small, so that all promises on all suspects take seconds; the time limit only ends what hangs, however busy the machine is.
    let settings = PromiseSettings(largestPayload: 128 << 10, writers: 4, rounds: 1, timeLimit: .seconds(600))

    @Test(arguments: Suspect.all) func isFound(_ suspect: Suspect) async {
        let report = await StatePromises.verify(suspect.fixture, settings: self.settings)
        let broken = Set(report.broken.map(\.number))
        #expect(broken.isSuperset(of: suspect.must), "\(report.summary)")
        let unexpected = report.broken.filter { !suspect.must.union(suspect.may).contains($0.number) }
        #expect(unexpected.isEmpty, "\(unexpected.map(\.description).joined(separator: "\n"))")
    }

    @Test(arguments: Set(StatePromise.all.map(\.number)).sorted()) func everyNumberHasABrokenStore(_ number: Int) {
        #expect(StatePromise.title(ofNumber: number) != nil)
        #expect(Suspect.all.contains { $0.must.contains(number) }, "no store breaks promise \(number)")
    }

    /// Stores that deal with faults and unreadable rows as they should: what the suite has to say against them would be wrong.
    @Test func honestStoresKeepTheirPromises() async {
        for fixture in [LosesAnswers.fixture(.admit), Corruptible.fixture(.report)] {
            let report = await StatePromises.verify(fixture, settings: self.settings)
            #expect(report.isKept, "\(report)")
        }
    }
}
