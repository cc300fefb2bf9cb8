import Peers
import PerdureConcurrency
import PerdureTestKit

/// Stands between a store and a node, and loses what it is told to lose.
///
/// It reads the frames of version 4 of the protocol, without TLS and compression, to tell conditional writes from the rest, and
/// makes the node say that it listens on the proxy's port.
final class LossyProxy: Sendable {
    enum Loss: Sendable { case request, answer }

    private struct Plan {
        var losses: [(id: [UInt8], loss: Loss)] = []
        var generator = SeededGenerator(seed: 0)
        /// Of so many in a thousand changes the request or the answer is lost.
        var perMille = 0
        var count = 0
        /// How many conditional writes there were, and how many writes of any kind that come in batches or have conditions.
        var changeCount = 0
        var writeCount = 0
        /// Everything ends with the write of that number, on its way there or on its way back.
        var end: (write: Int, loss: Loss)?
        /// The IDs of prepared statements that are conditional writes.
        var changes: Set<[UInt8]> = []
        var isStopped = false
        /// What the node says of changes of the schema, and whether each fails once only; nil for its own answers.
        var schemaFailure: (words: String, isOnce: Bool)?
        var failedChanges: Set<[UInt8]> = []

        /// Whether a frame asks for a change of the schema that is to fail, and has not yet.
        mutating func failsSchemaChange(_ frame: [UInt8]) -> Bool {
            guard let failure = self.schemaFailure, frame.contains("CREATE ") || frame.contains("ALTER ") else {
                return false
            }
            // Behind the statement comes a timestamp.
            let length = frame[9..<13].reduce(0) { $0 << 8 | Int($1) }
            return self.failedChanges.insert(Array(frame[13..<(13 + length)])).inserted || !failure.isOnce
        }

        /// Whether a frame executes a conditional write, by itself or in a batch.
        func isChange(_ frame: [UInt8]) -> Bool {
            func id(at place: Int) -> [UInt8] {
                let length = Int(frame[place]) << 8 | Int(frame[place + 1])
                return Array(frame[(place + 2)..<min(place + 2 + length, frame.count)])
            }
            if frame[4] == 0x0A { return self.changes.contains(id(at: 9)) }
            // Conditional statements come first in a batch: its kind, their number, and that the first is a prepared one.
            return frame.count > 14 && frame[12] == 1 && self.changes.contains(id(at: 13))
        }
    }

    private let plan = LockedState(Plan())
    private let rival = LockedState<(@Sendable () -> Void)?>(nil)
    private let upstream: Int
    private let relay: Relay
    var port: Int { self.relay.port }

    init(to upstream: Int) throws {
        self.upstream = upstream
        self.relay = try Relay(to: upstream)
        try self.relay.start { [weak self] in self?.lines() }
    }

    /// How often something was lost.
    var count: Int { self.plan.withLock { $0.count } }

    /// The next conditional write of `id` suffers `loss`.
    func lose(_ loss: Loss, _ id: String) { self.plan.withLock { $0.losses.append((Array(id.utf8), loss)) } }

    /// How many conditional writes passed, and how many writes in all.
    var writes: (conditional: Int, all: Int) { self.plan.withLock { ($0.changeCount, $0.writeCount) } }

    /// Whatever is behind this proxy is gone with the write of that number, counted from now: before it, or before its answer.
    func end(atWrite number: Int, _ loss: Loss) {
        self.plan.withLock { $0.end = ($0.writeCount + number, loss) }
    }

    func loseAtRandom(perMille: Int, seed: UInt64) {
        self.plan.withLock { ($0.generator, $0.perMille) = (SeededGenerator(seed: seed), perMille) }
    }

    /// From now on the node seems to fail at each change of the schema, once or always; in truth it makes it.
    func failSchemaChanges(saying words: String, once isOnce: Bool) {
        self.plan.withLock { $0.schemaFailure = (words, isOnce) }
    }

    /// How many changes of the schema seemed to fail.
    var failedSchemaChanges: Int { self.plan.withLock { $0.failedChanges.count } }

    /// From now on `rival` does something before each conditional write, which waits for it.
    func set(rival: (@Sendable () -> Void)?) { self.rival.withLock { $0 = rival } }

    func stop() {
        self.plan.withLock { $0.isStopped = true }
        self.relay.stop()
    }

    private func lines() -> (requests: Relay.Line, answers: Relay.Line)? {
        if self.plan.withLock({ $0.isStopped }) { return nil }
        // What the two directions tell each other: streams of statements to be prepared, and of answers to be lost.
        let talk = LockedState(Talk())
        return (
            { from, to in Self.forward(from: from, to: to) { self.handles(request: $0, talk) } },
            { from, to in Self.forward(from: from, to: to) { self.handles(answer: &$0, talk) } }
        )
    }

    private struct Talk {
        var conditionalPrepares: Set<Int> = []
        var lostAnswers: Set<Int> = []
        var failures: Set<Int> = []
    }

    /// Hands frames on until one side is gone, or `passes` says that the connection is to be cut before the frame.
    private static func forward(from: CInt, to: CInt, _ passes: (inout [UInt8]) -> Bool) {
        var buffer: [UInt8] = []
        while true {
            let bytes = Sockets.receive(from: from)
            if bytes.isEmpty { return }
            buffer += bytes
            while buffer.count >= 9 {
                let length = buffer[5..<9].reduce(0) { $0 << 8 | Int($1) } + 9
                guard buffer.count >= length else { break }
                var frame = Array(buffer[..<length])
                buffer.removeFirst(length)
                guard passes(&frame), Sockets.send(frame, to: to) else { return }
            }
        }
    }

    private func handles(request frame: [UInt8], _ talk: LockedState<Talk>) -> Bool {
        let stream = Int(frame[2]) << 8 | Int(frame[3])
        switch frame[4] {
        case 0x07:  // QUERY
            if self.plan.withLock({ $0.failsSchemaChange(frame) }) { talk.withLock { _ = $0.failures.insert(stream) } }
        case 0x09:  // PREPARE
            if frame.contains(" IF ") { talk.withLock { _ = $0.conditionalPrepares.insert(stream) } }
        case 0x0A, 0x0D:  // EXECUTE, BATCH
            if self.plan.withLock({ $0.isChange(frame) }) { self.rival.withLock { $0 }?() }
            let loss: Loss? = self.plan.withLock { plan in
                let isChange = plan.isChange(frame)
                if isChange { plan.changeCount += 1 }
                if isChange || frame[4] == 0x0D {
                    plan.writeCount += 1
                    if let end = plan.end, plan.writeCount >= end.write {
                        // Of what comes after it, nothing arrives.
                        defer { plan.isStopped = true }
                        return plan.isStopped ? .request : end.loss
                    }
                }
                guard isChange else { return nil }
                if let index = plan.losses.firstIndex(where: { frame.contains($0.id) }) {
                    plan.count += 1
                    return plan.losses.remove(at: index).loss
                }
                guard Int.random(in: 0..<1_000, using: &plan.generator) < plan.perMille else { return nil }
                plan.count += 1
                return Bool.random(using: &plan.generator) ? .request : .answer
            }
            if loss == .request {
                if self.plan.withLock({ $0.isStopped }) { self.stop() }
                return false
            }
            if loss == .answer { talk.withLock { _ = $0.lostAnswers.insert(stream) } }
        default: break
        }
        return true
    }

    private func handles(answer frame: inout [UInt8], _ talk: LockedState<Talk>) -> Bool {
        let stream = Int(frame[2]) << 8 | Int(frame[3])
        let (isPrepare, isLost) = talk.withLock {
            ($0.conditionalPrepares.remove(stream) != nil, $0.lostAnswers.remove(stream) != nil)
        }
        if isLost {
            if self.plan.withLock({ $0.isStopped }) { self.stop() }
            return false
        }
        if talk.withLock({ $0.failures.remove(stream) != nil }) {
            let words = Array((self.plan.withLock { $0.schemaFailure?.words } ?? "").utf8)
            // The code of a server error is 0.
            let body = [0, 0, 0, 0, UInt8(words.count >> 8), UInt8(truncatingIfNeeded: words.count)] + words
            frame = frame[..<4] + [0x00, 0, 0, UInt8(body.count >> 8), UInt8(truncatingIfNeeded: body.count)] + body
            return true
        }
        guard frame[4] == 0x08 else { return true }  // RESULT
        if isPrepare, Array(frame[9..<13]) == [0, 0, 0, 4] {
            let id = Array(frame[15..<(15 + (Int(frame[13]) << 8 | Int(frame[14])))])
            self.plan.withLock { _ = $0.changes.insert(id) }
        }
        // The node says where it listens; four bytes of an int.
        let (its, ours) = (Self.int(self.upstream), Self.int(self.port))
        while let place = frame.place(of: its) { frame.replaceSubrange(place..<(place + 8), with: ours) }
        return true
    }

    private static func int(_ number: Int) -> [UInt8] {
        [0, 0, 0, 4] + withUnsafeBytes(of: UInt32(number).bigEndian) { Array($0) }
    }
}
