internal import PerdureConcurrency
internal import Synchronization

/// The engine's publishers, each behind a buffer of its own, so that a slow one holds up neither entities nor the others.
final class Publishing: Sendable {
    private struct Line: Sendable {
        let publisher: any StatePublisher
        let buffer: BoundedBuffer<StateChange>
    }

    private let lines: [Line]
    private let configuration: StateEngine.Configuration
    /// Changes that were put into a buffer and have not been taken by its publisher.
    private let outstanding = Atomic<Int>(0)

    init(_ publishers: [any StatePublisher], configuration: StateEngine.Configuration) {
        self.configuration = configuration
        self.lines = publishers.map { publisher in
            Line(publisher: publisher, buffer: BoundedBuffer(capacity: configuration.publisherBuffer))
        }
    }

    var isEmpty: Bool { self.lines.isEmpty }

    // MARK: Entities' side

    /// Takes a place in every buffer, or in none: then it gives the name of the publisher that has no room.
    func reserve() -> String? {
        for (index, line) in self.lines.enumerated() where !line.buffer.reserve() {
            for line in self.lines[..<index] { line.buffer.release() }
            return line.publisher.name
        }
        return nil
    }

    /// Gives the places up: nothing was stored.
    func release() {
        for line in self.lines { line.buffer.release() }
    }

    /// Fills the places.
    func publish(_ change: StateChange) {
        self.outstanding.add(self.lines.count, ordering: .relaxed)
        for line in self.lines { line.buffer.fill(change) }
    }

    // MARK: The engine's side

    /// Hands changes on until ``finish()`` was called and the buffers are empty, or the task is cancelled; then closes the publishers.
    ///
    /// Gives the number of changes that were not handed on.
    func run() async -> Int {
        await withTaskGroup(of: Int.self) { group in
            for line in self.lines { group.addTask { await self.run(line) } }
            return await group.reduce(0, +)
        }
    }

    /// How many changes no publisher has taken yet, those under way included.
    var undelivered: Int { self.outstanding.load(ordering: .relaxed) }

    /// No change comes any more.
    func finish() {
        for line in self.lines { line.buffer.finish() }
    }

    private func run(_ line: Line) async -> Int {
        var undelivered = 0
        while let change = await line.buffer.next() {
            guard await self.deliver(change, to: line.publisher) else {
                // Given up. Those behind it go with it, as a publisher is promised the order.
                undelivered += 1
                break
            }
            self.outstanding.subtract(1, ordering: .relaxed)
        }
        undelivered += line.buffer.drain().count
        if undelivered > 0 {
            self.configuration.observer?.observe(
                .changesUndelivered(publisher: line.publisher.name, count: undelivered))
        }
        await line.publisher.close()
        return undelivered
    }

    /// Offers a change until it is taken; false when the task was cancelled before.
    private func deliver(_ change: StateChange, to publisher: any StatePublisher) async -> Bool {
        var attempt = 1
        while true {
            do {
                try await publisher.publish(change)
                return true
            } catch {
                self.configuration.observer?.observe(
                    .publishFailed(
                        publisher: publisher.name, persistenceID: change.persistenceID, attempt: attempt, error: error)
                )
            }
            // 100 ms, doubled each time, up to half a minute.
            let pause = Duration.milliseconds(min(30_000, 100 << min(attempt - 1, 12)))
            attempt += 1
            guard (try? await self.configuration.clock.sleep(for: pause)) != nil else { return false }
        }
    }
}
