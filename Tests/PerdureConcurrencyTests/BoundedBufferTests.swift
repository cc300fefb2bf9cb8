import PerdureConcurrency
import PerdureTestKit
import Testing

@Suite struct BoundedBufferTests {
    @Test func placesAreCountedExactly() async {
        let buffer = BoundedBuffer<Int>(capacity: 2)
        #expect(buffer.reserve())
        #expect(buffer.reserve())
        #expect(!buffer.reserve())
        buffer.release()
        #expect(buffer.reserve())
        buffer.fill(1)
        buffer.fill(2)
        #expect(!buffer.reserve())
        #expect(await buffer.next() == 1)
        #expect(buffer.reserve())
        #expect(!buffer.reserve())
    }

    @Test func theOldestMakesRoomAndIsCounted() async {
        let buffer = BoundedBuffer<Int>(capacity: 2)
        for number in 1...5 { buffer.push(number) }
        let first = await buffer.take()
        #expect(first?.element == 4)
        #expect(first?.lost == 3)
        let second = await buffer.take()
        #expect(second?.element == 5)
        #expect(second?.lost == 0)
    }

    @Test func afterTheEndTheRestCanBeTaken() async {
        let buffer = BoundedBuffer<Int>(capacity: 8)
        buffer.push(1)
        buffer.push(2)
        buffer.finish()
        buffer.push(3)
        #expect(await buffer.next() == 1)
        #expect(buffer.drain() == [2])
        #expect(await buffer.next() == nil)
    }

    @Test func theEndWakesWhoWaits() async {
        let buffer = BoundedBuffer<Int>(capacity: 1)
        let takers = (0..<3).map { _ in Task { await buffer.next() } }
        for _ in 0..<20 { await Task.yield() }
        buffer.finish()
        for taker in takers { #expect(await taker.value == nil) }
    }

    /// Two that take from one buffer is unusual, but no reason to bring a server down.
    @Test func severalMayTake() async {
        let buffer = BoundedBuffer<Int>(capacity: 100)
        let takers = (0..<4).map { _ in
            Task {
                var taken: [Int] = []
                while let next = await buffer.next() { taken.append(next) }
                return taken
            }
        }
        for number in 0..<100 {
            buffer.push(number)
            if number % 7 == 0 { await Task.yield() }
        }
        buffer.finish()
        var all: [Int] = []
        for taker in takers {
            let taken = await taker.value
            #expect(taken == taken.sorted())
            all += taken
        }
        #expect(all.sorted() == Array(0..<100))
    }

    @Test func whoIsCancelledGetsNothingOrAnElementButLosesNone() async {
        // Cancelling races with filling: the element is either given to the cancelled one or still there.
        for _ in 0..<500 {
            let buffer = BoundedBuffer<Int>(capacity: 1)
            #expect(buffer.reserve())
            let taker = Task { await buffer.next() }
            await Task.yield()
            async let cancelled: Void = taker.cancel()
            buffer.fill(7)
            await cancelled
            let taken = await taker.value
            #expect((taken.map { [$0] } ?? []) + buffer.drain() == [7])
        }
    }

    @Test func cancelledBeforeItBegan() async {
        let buffer = BoundedBuffer<Int>(capacity: 1)
        let taker = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await buffer.next()
        }
        #expect(await taker.value == nil)
        // The place is free for another.
        let other = Task { await buffer.next() }
        await Task.yield()
        buffer.push(1)
        #expect(await other.value == 1)
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func doesAsAModelDoes(seed: UInt64) async {
        var random = SeededGenerator(seed: seed)
        let capacity = Int.random(in: 1...6, using: &random)
        let buffer = BoundedBuffer<Int>(capacity: capacity)
        var (model, reserved, lost): ([Int], Int, Int) = ([], 0, 0)
        for number in 0..<1_000 {
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                let hasRoom = model.count + reserved < capacity
                #expect(buffer.reserve() == hasRoom)
                if hasRoom { reserved += 1 }
            case 1 where reserved > 0:
                buffer.fill(number)
                reserved -= 1
                model.append(number)
            case 2 where reserved > 0:
                buffer.release()
                reserved -= 1
            case 3 where reserved == 0:
                buffer.push(number)
                if model.count == capacity {
                    model.removeFirst()
                    lost += 1
                }
                model.append(number)
            case 4 where !model.isEmpty:
                let taken = await buffer.take()
                #expect(taken?.element == model.removeFirst())
                #expect(taken?.lost == lost)
                lost = 0
            default: break
            }
            #expect(buffer.count == model.count)
        }
    }

    /// Many that reserve and fill, one that takes: all arrives, each sender's in its order, and never more than there is room for.
    @Test func nothingIsLostUnderContention() async {
        let buffer = BoundedBuffer<(sender: Int, number: Int)>(capacity: 4)
        let taker = Task {
            var taken: [[Int]] = Array(repeating: [], count: 8)
            while let (sender, number) = await buffer.next() { taken[sender].append(number) }
            return taken
        }
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<8 {
                group.addTask {
                    for number in 0..<200 {
                        while !buffer.reserve() { await Task.yield() }
                        buffer.fill((sender, number))
                    }
                }
            }
        }
        buffer.finish()
        #expect(await taker.value == Array(repeating: Array(0..<200), count: 8))
    }
}
