import Testing

@testable import PerdureWorkflow

@Suite struct MinHeapTests {
    @Test(arguments: 0..<20) func elementsComeOutInOrder(_ count: Int) {
        var heap = MinHeap<Int>()
        let elements = (0..<count).map { $0 * 7919 % 31 }
        for element in elements { heap.insert(element) }
        #expect(heap.first == elements.min())
        #expect((0..<count).map { _ in heap.popFirst() } == elements.sorted())
        #expect(heap.popFirst() == nil)
    }
}
