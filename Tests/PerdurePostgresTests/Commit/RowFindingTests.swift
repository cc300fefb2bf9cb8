import PerdureState
import Testing

@testable import PerdurePostgres

@Suite struct RowFindingTests {
    private let mine = WriteID(high: 1, low: 1)
    private let other = WriteID(high: 1, low: 2)

    /// A pending change that nobody waits for.
    private func verdict(
        _ finding: RowFinding, on version: UInt64 = 6, if condition: WriteCondition,
        _ operation: StoreError.Operation = .write, mayHaveHappened: Bool = false,
        isSought: Bool = false
    ) async -> RowFinding.Verdict {
        var verdict = RowFinding.Verdict.again
        _ = await withUnsafeContinuation { (continuation: UnsafeContinuation<StoreError?, Never>) in
            let write = PendingWrite(
                DurableState(
                    persistenceID: "a", version: version, payload: StatePayload(manifest: "", bytes: [])),
                if: condition, operation, id: self.mine, deadline: .zero, caller: .one(continuation))
            write.mayHaveHappened = mayHaveHappened || isSought
            write.isSought = isSought
            verdict = finding.verdict(on: write)
            write.answer(nil)
        }
        return verdict
    }

    @Test func ownTracesAreSuccess() async {
        let replaced = RowFinding(version: 6, write: self.mine)
        #expect(await self.verdict(replaced, if: .version(5)) == .done)
        #expect(await self.verdict(replaced, if: .absent, mayHaveHappened: true) == .done)
        let deleted = RowFinding(tombstone: 6, deletion: self.mine)
        #expect(await self.verdict(deleted, if: .version(5), .delete) == .done)
        // Somebody has brought it back since: the deletion happened all the same.
        let reborn = RowFinding(version: 7, write: self.other, tombstone: 6, deletion: self.mine)
        #expect(await self.verdict(reborn, if: .version(5), .delete, mayHaveHappened: true) == .done)
    }

    @Test func anotherVersionIsAConflict() async {
        let row = RowFinding(version: 7, write: self.other, tombstone: 3)
        #expect(await self.verdict(row, if: .version(5)) == .conflict(stored: 7))
        #expect(await self.verdict(row, if: .absent) == .conflict(stored: 7))
        #expect(await self.verdict(row, if: .version(5), .delete) == .conflict(stored: 7))
        #expect(await self.verdict(row, if: .absent, .delete) == .conflict(stored: 7))
        #expect(await self.verdict(RowFinding(), if: .version(5)) == .conflict(stored: 0))
        #expect(await self.verdict(RowFinding(tombstone: 9), if: .version(5)) == .conflict(stored: 9))
        #expect(await self.verdict(RowFinding(tombstone: 6), if: .absent) == .conflict(stored: 6))
    }

    @Test func afterALostAnswerNobodyKnows() async {
        let row = RowFinding(version: 7, write: self.other)
        #expect(await self.verdict(row, if: .version(5), mayHaveHappened: true) == .unknown(stored: 7))
        #expect(await self.verdict(row, if: .absent, mayHaveHappened: true) == .unknown(stored: 7))
        #expect(await self.verdict(RowFinding(tombstone: 9), if: .absent, mayHaveHappened: true) == .unknown(stored: 9))
        // The old version is still there: the lost attempt has not happened, and the condition keeps it from happening twice.
        #expect(await self.verdict(RowFinding(version: 5), if: .version(5), mayHaveHappened: true) == .again)
    }

    /// An unconditional change of lost answer: only its own trace is proof, whatever else is there.
    @Test func whatIsSoughtIsOnlyFoundByItsTrace() async {
        let found = RowFinding(version: 6, write: self.mine)
        #expect(await self.verdict(found, if: .always, isSought: true) == .done)
        let covered = RowFinding(version: 7, write: self.other)
        #expect(await self.verdict(covered, if: .always, isSought: true) == .unseen(stored: 7))
        #expect(await self.verdict(RowFinding(), if: .always, isSought: true) == .unseen(stored: 0))
        // Absent already, and yet the first attempt could come after somebody has brought it back.
        #expect(await self.verdict(RowFinding(), if: .always, .delete, isSought: true) == .unseen(stored: 0))
        let deleted = RowFinding(version: 9, write: self.other, tombstone: 7, deletion: self.mine)
        #expect(await self.verdict(deleted, if: .always, .delete, isSought: true) == .done)
    }

    @Test func deletingNothingIsDone() async {
        for finding in [RowFinding(), RowFinding(tombstone: 4, deletion: self.other)] {
            #expect(await self.verdict(finding, if: .always, .delete) == .done)
            #expect(await self.verdict(finding, if: .absent, .delete) == .done)
        }
    }

    @Test func whatWasOvertakenGoesAgain() async {
        #expect(await self.verdict(RowFinding(version: 5), if: .version(5)) == .again)
        #expect(await self.verdict(RowFinding(tombstone: 5), on: 6, if: .absent) == .again)
        #expect(await self.verdict(RowFinding(version: 5), if: .always, .delete) == .again)
    }

    @Test func negativeVersionsAreTold() async {
        guard case .corrupted = await self.verdict(RowFinding(version: -7), if: .version(5)) else {
            Issue.record("a negative version was taken for one")
            return
        }
    }
}
