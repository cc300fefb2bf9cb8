import PerdureIO
import Testing

@testable import PerdurePostgres

@Suite struct KeyedBatcherTests {
    private func take(_ batcher: inout KeyedBatcher<String, Int>, _ count: Int = 100, _ weight: Int = 1_000) -> [Int] {
        var batch: [Int] = []
        _ = batcher.take(into: &batch, maximumCount: count, maximumWeight: weight)
        return batch
    }

    @Test func aKeyStandsOnceInHand() {
        var batcher = KeyedBatcher<String, Int>(kinds: 1)
        for (number, key) in ["a", "b", "a", "a", "c"].enumerated() {
            batcher.append(number, key: key, kind: 0, weight: 1)
        }
        #expect(batcher.readyCount == 3)
        #expect(self.take(&batcher) == [0, 1, 4])
        #expect(self.take(&batcher) == [])
        batcher.finish("b")
        #expect(self.take(&batcher) == [])
        batcher.finish("a")
        #expect(self.take(&batcher) == [2])
        batcher.finish("c")
        batcher.finish("a")
        #expect(self.take(&batcher) == [3])
        #expect(!batcher.isIdle)
        batcher.finish("a")
        #expect(batcher.isIdle)
    }

    @Test func aBatchHasOneKindAndKeepsItsLimits() {
        var batcher = KeyedBatcher<String, Int>(kinds: 2)
        for number in 0..<6 { batcher.append(number, key: "\(number)", kind: number % 2, weight: 10) }
        #expect(self.take(&batcher, 2) == [0, 2])
        #expect(self.take(&batcher, 100, 15) == [1])
        #expect(self.take(&batcher, 100, 1) == [3])
        #expect(self.take(&batcher) == [4])
        #expect(self.take(&batcher) == [5])
    }

    @Test func whatIsRestoredComesFirst() {
        var batcher = KeyedBatcher<String, Int>(kinds: 1)
        for number in 0..<3 { batcher.append(number, key: "\(number)", kind: 0, weight: 1) }
        #expect(self.take(&batcher, 1) == [0])
        batcher.restore(0, key: "0", kind: 0, weight: 1)
        #expect(self.take(&batcher) == [0, 1, 2])
        batcher.finish("1")
        batcher.append(3, key: "3", kind: 0, weight: 1)
        batcher.restore(2, key: "2", kind: 0, weight: 1, atFront: false)
        #expect(self.take(&batcher) == [3, 2])
    }

    @Test func withdrawingLetsTheNextOfTheKeyUp() {
        var batcher = KeyedBatcher<String, Int>(kinds: 1)
        for number in 0..<3 { batcher.append(number, key: "a", kind: 0, weight: 1) }
        #expect(batcher.withdraw { $0 == 0 } == [0])
        #expect(self.take(&batcher) == [1])
        #expect(batcher.withdraw { _ in true } == [2])
        batcher.finish("a")
        #expect(batcher.isIdle && batcher.count == 0)
    }

    /// Whatever happens: an element comes once, in the order of its key, and never two of a key at a time.
    @Test func keepsItsRulesInRandomSchedules() {
        for seed in 0..<500 as Range<UInt64> {
            var random = SplitMix(seed: seed)
            var batcher = KeyedBatcher<Int, (key: Int, number: Int)>(kinds: 3)
            var last: [Int: Int] = [:]
            var inHand: [(key: Int, number: Int)] = []
            var faults: [String] = []
            var seen = 0
            for number in 0..<300 {
                switch Int.random(in: 0..<4, using: &random) {
                case 0, 1:
                    let key = Int.random(in: 0..<8, using: &random)
                    batcher.append(
                        (key, number), key: key, kind: Int.random(in: 0..<3, using: &random),
                        weight: Int.random(in: 0..<50, using: &random))
                case 2:
                    var batch: [(key: Int, number: Int)] = []
                    _ = batcher.take(into: &batch, maximumCount: 5, maximumWeight: 100)
                    for element in batch {
                        if inHand.contains(where: { $0.key == element.key }) { faults.append("two of a key in hand") }
                        if let last = last[element.key], last >= element.number { faults.append("out of order") }
                        inHand.append(element)
                    }
                default:
                    guard !inHand.isEmpty else { continue }
                    let element = inHand.remove(at: Int.random(in: 0..<inHand.count, using: &random))
                    if Bool.random(using: &random) {
                        batcher.restore(
                            element, key: element.key, kind: 0, weight: 1, atFront: Bool.random(using: &random))
                    } else {
                        last[element.key] = element.number
                        seen += 1
                        batcher.finish(element.key)
                    }
                }
            }
            for _ in 0..<1_000 where !batcher.isIdle {
                for element in inHand {
                    last[element.key] = element.number
                    batcher.finish(element.key)
                }
                inHand = []
                _ = batcher.take(into: &inHand, maximumCount: 5, maximumWeight: 100)
            }
            if !batcher.isIdle || batcher.count != 0 || batcher.readyCount != 0 { faults.append("something was left") }
            #expect(faults.isEmpty, "seed \(seed): \(faults)")
        }
    }
}
