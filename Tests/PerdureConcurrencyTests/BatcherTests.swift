import Testing

@testable import PerdureConcurrency

@Suite struct BatcherTests {
    @Test func handsOutWhatWaitsInItsOrder() {
        var batcher = Batcher<Int>()
        for element in 0..<5 { batcher.append(element) }
        var batch: [Int] = []
        batcher.take(into: &batch, maximumCount: 3)
        #expect(batch == [0, 1, 2])
        batcher.append(5)
        batch = []
        batcher.take(into: &batch, maximumCount: 10)
        #expect(batch == [3, 4, 5] && batcher.isEmpty)
    }

    @Test func keepsToTheWeight() {
        var batcher = Batcher<Int>()
        for weight in [5, 3, 4, 100, 1] { batcher.append(weight, weight: weight) }
        var batches: [[Int]] = []
        while !batcher.isEmpty {
            var batch: [Int] = []
            batcher.take(into: &batch, maximumCount: 10, maximumWeight: 9, weight: { $0 })
            batches.append(batch)
        }
        // One that is too heavy for any batch goes alone.
        #expect(batches == [[5, 3], [4], [100], [1]])
    }

    @Test func withdrawsFromTheLine() {
        var batcher = Batcher<Int>()
        for weight in 1...6 { batcher.append(weight, weight: weight) }
        #expect(batcher.withdraw(weight: { $0 }, where: { $0 % 2 == 0 }) == [2, 4, 6])
        var batch: [Int] = []
        // The weight of those that left no longer counts.
        batcher.take(into: &batch, maximumCount: 10, maximumWeight: 9, weight: { $0 })
        #expect(batch == [1, 3, 5])
    }
}

@Suite struct BatchQueueTests {
    @Test func letsNothingInUnlessOpen() {
        let queue = BatchQueue<Int>()
        #expect(!queue.submit(1))
        queue.open()
        #expect(queue.submit(2) && queue.submit(contentsOf: [3, 4]))
        queue.close()
        #expect(!queue.submit(5) && !queue.submit(contentsOf: [6]))
        // What was let in is still handed out, and then the end.
        var batch: [Int] = []
        #expect(queue.nextBatch(into: &batch, maximumCount: 10) && batch == [2, 3, 4])
        batch = []
        #expect(!queue.nextBatch(into: &batch, maximumCount: 10) && batch.isEmpty)
        #expect(!queue.sleepWhileOpen(nanoseconds: 60_000_000_000))
    }

    /// Several threads take, many tasks put, and each element comes out exactly once.
    @Test func losesNothingBetweenThreads() async throws {
        let queue = BatchQueue<Int>()
        queue.open()
        let taken = LockedState([Int]())
        let threads = Latch()
        for _ in 0..<3 {
            threads.enter()
            try BlockingThread.start(named: "taker") {
                var batch: [Int] = []
                while queue.nextBatch(into: &batch, maximumCount: 7) {
                    let elements = batch
                    taken.withLock { $0 += elements }
                    batch.removeAll()
                }
                threads.leave()
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<20 {
                group.addTask { for element in 0..<200 { #expect(queue.submit(task * 200 + element)) } }
            }
        }
        queue.close()
        try await BlockingThread.run(named: "waiter") { threads.wait() }
        #expect(taken.withLock { $0.sorted() } == Array(0..<4_000))
    }
}
