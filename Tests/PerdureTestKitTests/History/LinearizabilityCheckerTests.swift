import Testing

@testable import PerdureTestKit

/// Histories of which a person can say whether they are possible.
@Suite struct LinearizabilityCheckerTests {
    typealias Operation = StateHistory.Operation

    static func state(_ version: UInt64, _ text: String = "") -> DurableState {
        DurableState(
            persistenceID: "a", version: version, payload: StatePayload(manifest: "m", bytes: Array(text.utf8)))
    }

    static func write(
        _ version: UInt64, _ text: String = "", if condition: WriteCondition, _ answer: StateHistory.Answer = .done,
        at span: ClosedRange<UInt64>
    ) -> Operation {
        Operation(
            .write(self.state(version, text), if: condition), answer, began: span.lowerBound, ended: span.upperBound)
    }

    static func delete(
        if condition: WriteCondition, _ answer: StateHistory.Answer = .done, at span: ClosedRange<UInt64>
    ) -> Operation {
        Operation(.delete(if: condition), answer, began: span.lowerBound, ended: span.upperBound)
    }

    static func read(_ state: DurableState?, at span: ClosedRange<UInt64>) -> Operation {
        Operation(.read, .found(state), began: span.lowerBound, ended: span.upperBound)
    }

    static let possible: [String: [Operation]] = [
        "nothing at all": [],
        "a read of nothing": [read(nil, at: 1...2)],
        "write, then read": [write(1, if: .absent, at: 1...2), read(state(1), at: 3...4)],
        "a read that overlaps a write sees it": [write(1, if: .absent, at: 1...4), read(state(1), at: 2...3)],
        "a read that overlaps a write does not see it": [write(1, if: .absent, at: 1...4), read(nil, at: 2...3)],
        "one of two writers wins, begun later": [
            write(1, if: .absent, at: 1...2), write(2, "x", if: .version(1), .conflict(stored: 2), at: 3...9),
            write(2, "y", if: .version(1), at: 4...5), read(state(2, "y"), at: 6...7),
        ],
        "an unknown write that happened": [
            write(1, if: .absent, at: 1...2), write(2, if: .version(1), .unknown, at: 3...4), read(state(2), at: 5...6),
        ],
        "an unknown write that never happened": [
            write(1, if: .absent, at: 1...2), write(2, if: .version(1), .unknown, at: 3...4), read(state(1), at: 5...6),
        ],
        "an unknown write that happened late": [
            write(1, if: .absent, at: 1...2), write(2, if: .version(1), .unknown, at: 3...4), read(state(1), at: 5...6),
            read(state(2), at: 7...8),
        ],
        "a conflict with one's own unknown write of before": [
            write(1, if: .absent, .unknown, at: 1...2), write(1, "b", if: .absent, .conflict(stored: 1), at: 3...4),
        ],
        "a refused write is not seen": [write(1, if: .absent, .notApplied, at: 1...2), read(nil, at: 3...4)],
        "delete and come back": [
            write(1, if: .absent, at: 1...2), delete(if: .version(1), at: 3...4), read(nil, at: 5...6),
            write(2, if: .absent, .conflict(stored: 2), at: 7...8), write(3, if: .absent, at: 9...10),
            read(state(3), at: 11...12),
        ],
        "deleting what is not there": [
            delete(if: .always, at: 1...2), delete(if: .absent, at: 3...4),
            delete(if: .version(1), .conflict(stored: 0), at: 5...6),
            write(1, if: .absent, at: 7...8),
        ],
        "unconditional writes go backwards": [
            write(5, if: .always, at: 1...2), write(3, if: .always, at: 3...4), read(state(3), at: 5...6),
        ],
    ]

    static let impossible: [String: [Operation]] = [
        "a read of what was never written": [read(state(1), at: 1...2)],
        "a lost write": [write(1, if: .absent, at: 1...2), read(nil, at: 3...4)],
        "another payload": [write(1, "a", if: .absent, at: 1...2), read(state(1, "b"), at: 3...4)],
        "a stale read": [
            write(1, if: .absent, at: 1...2), write(2, if: .version(1), at: 3...4), read(state(1), at: 5...6),
        ],
        "new, then old": [
            write(1, if: .absent, at: 1...2), write(2, if: .version(1), at: 3...10), read(state(2), at: 4...5),
            read(state(1), at: 6...7),
        ],
        "two winners": [
            write(1, if: .absent, at: 1...2), write(2, "x", if: .version(1), at: 3...6),
            write(2, "y", if: .version(1), at: 4...5),
        ],
        "two creators": [write(1, "x", if: .absent, at: 1...4), write(1, "y", if: .absent, at: 2...3)],
        "a conflict without a reason": [
            write(1, if: .absent, at: 1...2), write(2, if: .version(1), .conflict(stored: 1), at: 3...4),
        ],
        "a conflict with the wrong version": [
            write(4, if: .absent, at: 1...2), write(9, if: .version(3), .conflict(stored: 5), at: 3...4),
        ],
        "a refused write that is seen": [write(1, if: .absent, .notApplied, at: 1...2), read(state(1), at: 3...4)],
        "an unknown write that is seen and gone": [
            write(1, if: .absent, at: 1...2), write(2, if: .version(1), .unknown, at: 3...4), read(state(2), at: 5...6),
            read(state(1), at: 7...8),
        ],
        "a write seen before it began": [read(state(1), at: 1...2), write(1, if: .absent, at: 3...4)],
        "a tombstone forgotten": [
            write(1, if: .absent, at: 1...2), delete(if: .version(1), at: 3...4), write(1, if: .absent, at: 5...6),
        ],
        "a deletion that did not happen": [
            write(1, if: .absent, at: 1...2), delete(if: .version(1), at: 3...4), read(state(1), at: 5...6),
        ],
        "a deletion of another version": [write(1, if: .absent, at: 1...2), delete(if: .version(7), at: 3...4)],
        "a stale writer in a newer life": [
            write(1, if: .absent, at: 1...2), delete(if: .version(1), at: 3...4), write(3, if: .absent, at: 5...6),
            write(2, if: .version(1), at: 7...8),
        ],
    ]

    @Test(arguments: possible.keys.sorted()) func explains(_ name: String) throws {
        let operations = try #require(Self.possible[name])
        #expect(LinearizabilityChecker().verdict(on: StateHistory(operations)) == .linearizable)
        #expect(LinearizabilityChecker().verdict(on: StateHistory(operations.reversed())) == .linearizable)
    }

    @Test(arguments: impossible.keys.sorted()) func refutes(_ name: String) throws {
        let operations = try #require(Self.impossible[name])
        guard case .impossible = LinearizabilityChecker().verdict(on: StateHistory(operations)) else {
            Issue.record("taken for possible")
            return
        }
    }

    @Test func givesUpAfterTheStepsThatAreAllowed() {
        let operations = (0..<12).map { Self.write(1, "\($0)", if: .absent, .unknown, at: UInt64($0)...100) }
        let history = StateHistory(operations + [Self.read(Self.state(9), at: 101...102)])
        #expect(LinearizabilityChecker(maximumSteps: 5).verdict(on: history) == .undecided)
    }

    /// Histories made by an ideal store are possible; with one answer falsified they mostly are not.
    @Test(arguments: 0..<20 as Range<UInt64>) func tellsFalsifiedHistories(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var model = RegisterModel()
        var operations: [Operation] = []
        for number: UInt64 in 0..<60 {
            let stored = model.state?.version ?? model.tombstone
            let request: StateHistory.Request =
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: .read
                case 1: .delete(if: .version(stored))
                case 2: .write(Self.state(stored + 1, "\(number)"), if: .absent)
                default: .write(Self.state(stored + 1, "\(number)"), if: .version(stored))
                }
            // Three operations overlap at a time; each happens in the middle of its span.
            let time = 10 * number + 20
            operations.append(Operation(request, model.answer(request), began: time - 14, ended: time + 14))
        }
        #expect(LinearizabilityChecker().verdict(on: StateHistory(operations)) == .linearizable, "seed \(seed)")
        var refuted = 0
        for place in operations.indices {
            var falsified = operations
            switch falsified[place].answer {
            case .done: falsified[place].answer = .conflict(stored: 999)
            case .conflict: falsified[place].answer = .conflict(stored: 999)
            default: falsified[place].answer = .found(Self.state(999))
            }
            if case .impossible = LinearizabilityChecker().verdict(on: StateHistory(falsified)) { refuted += 1 }
        }
        #expect(refuted == operations.count, "seed \(seed)")
    }
}
