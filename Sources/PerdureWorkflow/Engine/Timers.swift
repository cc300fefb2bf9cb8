internal import PerdureConcurrency
internal import PerdureModel

/// Something that wants to be told when a time has come.
protocol Alarmed: AnyObject, Sendable {
    func alarm()
}

/// What waits for its time in an engine: one heap, and one task that sleeps until the first is due.
///
/// Nothing is ever taken out before its time: who is told and does not care ignores it. What belongs to nobody any more is
/// swept out when it has become most of the heap.
final class Timers: Sendable {
    private struct Entry: Comparable {
        let deadline: Duration
        weak var target: (any Alarmed)?

        static func < (left: Entry, right: Entry) -> Bool { left.deadline < right.deadline }
        static func == (left: Entry, right: Entry) -> Bool { left.deadline == right.deadline }
    }

    private struct State {
        var entries: [Entry] = []
        /// Until when the task sleeps; nil while it is awake, and will look at the heap by itself.
        var sleepsUntil: Duration?
        var sleeper: Task<Void, Never>?
        var sweepAt = 1_024
    }

    private let state = LockedState(State())
    private let clock: any PerdureClock
    /// Rings where there is nothing to sleep for.
    private let bell = Bell()

    init(clock: any PerdureClock) { self.clock = clock }

    /// Tells `target` when the steady clock shows `deadline`.
    func schedule(_ target: any Alarmed, at deadline: Duration) {
        let sleeper = self.state.withLock { state -> Task<Void, Never>? in
            Self.push(Entry(deadline: deadline, target: target), &state.entries)
            if state.entries.count > state.sweepAt {
                state.entries = state.entries.filter { $0.target != nil }
                // A sorted array is a heap.
                state.entries.sort()
                state.sweepAt = max(1_024, state.entries.count * 2)
            }
            guard let until = state.sleepsUntil, deadline < until else { return nil }
            state.sleepsUntil = nil
            return state.sleeper
        }
        sleeper?.cancel()
        self.bell.ring()
    }

    /// Tells everybody in time, until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            let now = self.clock.now
            var due: [any Alarmed] = []
            let next = self.state.withLock { state -> Duration? in
                while let first = state.entries.first, first.deadline <= now {
                    if let target = first.target { due.append(target) }
                    Self.pop(&state.entries)
                }
                return due.isEmpty ? state.entries.first?.deadline : now
            }
            for target in due { target.alarm() }
            if !due.isEmpty { continue }
            if let next { await self.sleep(until: next) } else { await self.bell.wait() }
        }
    }

    private func sleep(until deadline: Duration) async {
        let clock = self.clock
        let sleeper = Task { _ = try? await clock.sleep(until: deadline) }
        let isLate = self.state.withLock { state -> Bool in
            // Somebody may have come with an earlier deadline meanwhile.
            if let first = state.entries.first, first.deadline < deadline { return true }
            state.sleepsUntil = deadline
            state.sleeper = sleeper
            return false
        }
        if isLate { sleeper.cancel() }
        await withTaskCancellationHandler {
            await sleeper.value
        } onCancel: {
            sleeper.cancel()
        }
        self.state.withLock { state in
            state.sleepsUntil = nil
            state.sleeper = nil
        }
    }

    private static func push(_ entry: Entry, _ entries: inout [Entry]) {
        entries.append(entry)
        var place = entries.count - 1
        while place > 0, entries[place] < entries[(place - 1) / 2] {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private static func pop(_ entries: inout [Entry]) {
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var place = 0
        while true {
            var least = place
            for child in [place * 2 + 1, place * 2 + 2] where child < entries.count && entries[child] < entries[least] {
                least = child
            }
            if least == place { return }
            entries.swapAt(place, least)
            place = least
        }
    }
}
