import PerdureConcurrency
import PerdureTestKit
import Testing

@Suite struct FIFOTests {
    @Test func givesBackInOrder() {
        var queue = FIFO<Int>()
        #expect(queue.popFirst() == nil)
        queue.append(1)
        queue.append(2)
        queue.append(3)
        #expect(queue.count == 3)
        #expect(queue.removeFirst { $0 == 2 } == 2)
        #expect(queue.removeFirst { $0 == 2 } == nil)
        #expect(queue.popFirst() == 1)
        #expect(queue.removeFirst { $0 == 1 } == nil, "what was taken cannot be found")
        #expect(queue.popFirst() == 3)
        #expect(queue.isEmpty)
    }

    @Test func holdsOptionals() {
        var queue = FIFO<Int?>()
        queue.append(nil)
        queue.append(1)
        #expect(queue.count == 2)
        #expect(queue.removeAll() == [nil, 1])
        #expect(queue.isEmpty)
    }

    @Test func letsGoOfWhatItGaveBack() {
        final class Thing {}
        var queue = FIFO<Thing>()
        weak var thing: Thing?
        for number in 0..<100 {
            let new = Thing()
            if number == 0 { thing = new }
            queue.append(new)
        }
        _ = queue.popFirst()
        #expect(thing == nil)
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func doesAsAnArrayDoes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = FIFO<Int>()
        var model: [Int] = []
        for number in 0..<2_000 {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<48:
                queue.append(number)
                model.append(number)
            case 48..<85:
                #expect(queue.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
            case 85..<98:
                let rest = Int.random(in: 0..<7, using: &random)
                let index = model.firstIndex { $0 % 7 == rest }
                #expect(queue.removeFirst { $0 % 7 == rest } == index.map { model.remove(at: $0) })
            case 98:
                #expect(queue.removeAll() == model)
                model = []
            default:
                // Long stretches, so that the front is cut off now and then.
                for more in 0..<150 {
                    queue.append(more)
                    model.append(more)
                }
            }
            #expect(queue.count == model.count && queue.isEmpty == model.isEmpty)
        }
        #expect(queue.removeAll() == model)
    }
}
