import Glibc
public import PerdureState
public import PerdureTestKit

/// Several callers that read, write and delete the same few IDs at random, with everything that they were told written down.
///
/// Run in several processes at once, and their histories put together, it shows whether a store is linearizable for all of them.
public enum Fight {
    /// The IDs that are fought over.
    public static let ids = (0..<64).map { "fight-\($0)" }

    /// Lets `tasks` callers do `steps` operations each on `store`; returns the histories of ``ids``, by `CLOCK_MONOTONIC`.
    public static func run(
        on store: some StateStore, fighter: Int, tasks: Int, steps: Int, seed: UInt64
    ) async -> [StateHistory] {
        let recorders = Self.ids.map { HistoryRecorder(store, of: $0, clock: Self.nanoseconds) }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    var random = SeededGenerator(seed: seed, stream: UInt64(fighter * 1_000 + task))
                    for step in 0..<steps {
                        let recorder = recorders[Int.random(in: 0..<recorders.count, using: &random)]
                        await Self.move(recorder, "\(fighter) \(task) \(step)", &random)
                    }
                }
            }
        }
        return recorders.map(\.history)
    }

    private static func move(_ recorder: HistoryRecorder, _ text: String, _ random: inout SeededGenerator) async {
        let found = await recorder.read()
        let version = found?.version ?? 0
        let next = DurableState(
            persistenceID: recorder.persistenceID, version: version + 1 + .random(in: 0...2, using: &random),
            payload: StatePayload(manifest: "fight", bytes: Array(text.utf8)), timestamp: 1_700_000_000_000, shard: 3)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5: await recorder.write(next, if: found == nil ? .absent : .version(version))
        case 5: await recorder.write(next, if: .absent)
        case 6: await recorder.write(next, if: .always)
        case 7, 8: await recorder.delete(if: .version(version))
        default: await recorder.delete(if: .always)
        }
    }

    @Sendable private static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
