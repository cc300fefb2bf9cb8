import PerdureIO
import Testing

@Suite struct TimerHeapTests {
    @Test func tellsWhatIsDueInTheOrderOfDeadlines() {
        var heap = TimerHeap<String>()
        _ = heap.add("late", at: .seconds(3))
        _ = heap.add("first", at: .seconds(1))
        _ = heap.add("second", at: .seconds(1))
        #expect(heap.nextDeadline == .seconds(1))
        #expect(heap.popDue(at: .milliseconds(999)) == nil)
        #expect(heap.popDue(at: .seconds(1)) == "first")
        #expect(heap.popDue(at: .seconds(1)) == "second")
        #expect(heap.popDue(at: .seconds(1)) == nil)
        #expect(heap.popDue(at: .seconds(9)) == "late")
        #expect(heap.nextDeadline == nil)
    }

    @Test func forgetsWhatWasCalledOff() {
        var heap = TimerHeap<Int>()
        let first = heap.add(1, at: .seconds(1))
        _ = heap.add(2, at: .seconds(2))
        heap.cancel(first)
        #expect(heap.nextDeadline == .seconds(2))
        #expect(heap.popDue(at: .seconds(5)) == 2)
        heap.cancel(first)
        #expect(heap.count == 0)
    }

    /// Against a list that is sorted anew each time.
    @Test func agreesWithASortedList() {
        for seed in 0..<50 as Range<UInt64> { self.compareWithAList(seed: seed) }
    }

    private func compareWithAList(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var heap = TimerHeap<Int>()
        var list: [(deadline: Duration, number: Int, id: TimerHeap<Int>.ID)] = []
        for number in 0..<500 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let deadline = Duration.milliseconds(Int.random(in: 0..<100, using: &random))
                list.append((deadline, number, heap.add(number, at: deadline)))
            case 5..<8:
                if let index = list.indices.randomElement(using: &random) { heap.cancel(list.remove(at: index).id) }
            default:
                let now = Duration.milliseconds(Int.random(in: 0..<100, using: &random))
                let due = list.indices.filter { list[$0].deadline <= now }
                    .min { (list[$0].deadline, list[$0].number) < (list[$1].deadline, list[$1].number) }
                #expect(heap.popDue(at: now) == due.map { list[$0].number }, "seed \(seed)")
                if let due { list.remove(at: due) }
            }
            #expect(heap.nextDeadline == list.map(\.deadline).min(), "seed \(seed)")
            #expect(heap.count == list.count)
        }
    }
}
