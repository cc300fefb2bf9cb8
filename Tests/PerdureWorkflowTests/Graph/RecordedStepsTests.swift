import PerdureModel
import Testing

@testable import PerdureWorkflow

@Suite("Definitions and what was recorded")
struct RecordedStepsTests {
    private let graph = Workflow("orders", version: "2") {
        Step("list") { (i: Int) in [i] }
        Parallel {
            Step("charge") { (list: [Int]) in list.count }
            Branch {
                ForEach("each", limit: 2) { (i: Int) in i }
                Step("sum") { (list: [Int]) in list.count }
            }
        }
        Join("ship") { (a: Int, b: Int) in a + b }
    }.graph

    private func record(_ id: String, hash: UInt64? = nil, status: StepStatus = .completed) -> StepRecord {
        let (name, item) = StepRecord.parts(ofID: id)
        let index = self.graph.index(ofStep: name)
        return StepRecord(
            id: id, position: index.map { self.graph.positions[$0] } ?? 0, item: item,
            definitionHash: hash ?? index.map { self.graph.hashes[$0] } ?? 0, status: status)
    }

    @Test("a definition goes on from its own records, in whatever state")
    func compatible() {
        #expect(self.graph.incompatibility(with: []) == nil)
        let records = [
            self.record("list"), self.record("each", status: .running), self.record("each[0]"),
            self.record("each[17]", status: .retrying), self.record("charge", status: .failed),
        ]
        #expect(self.graph.incompatibility(with: records) == nil)
    }

    @Test("a step that is gone: the reason says which, and what to do")
    func gone() {
        #expect(
            self.graph.incompatibility(with: [self.record("list"), self.record("reserve", hash: 1)])
                == """
                The run has recorded the step "reserve", which is not part of this definition ("orders", version "2"). Let a \
                worker with the definition of before finish the run, or fork the run from a step before "reserve", or cancel it.
                """)
    }

    @Test("a step that has changed: the earliest is named")
    func changed() {
        let records = [self.record("ship", hash: 1), self.record("each[1]", hash: 2), self.record("each[0]", hash: 2)]
        #expect(
            self.graph.incompatibility(with: records)
                == """
                The run has recorded the step "each", but in this definition it is of another kind, gives another type, or \
                follows upon other steps ("orders", version "2"). Let a worker with the definition of before finish the run, or \
                fork the run from a step before "each", or cancel it.
                """)
    }

    @Test("what follows the recorded steps may change, and how steps are carried out")
    func extended() {
        let records = [self.record("list"), self.record("charge")]
        let longer = Workflow("orders", version: "3") {
            Step("list") { (i: Int) in [i] }.retry(.none)
            Parallel {
                Step("new") { (list: [Int]) in list.count }
                Step("charge") { (list: [Int]) in list.count }
            }
            Join("ship") { (a: Int, b: Int) in a + b }
        }
        #expect(longer.graph.incompatibility(with: records) == nil)
        #expect(longer.graph.incompatibility(with: records + [self.record("ship")]) != nil)
    }

    @Test("names are compared by their bytes")
    func bytes() {
        let graph = Workflow("w") { Step("caf\u{e9}") { (i: Int) in i } }.graph
        let record = StepRecord(id: "cafe\u{301}", position: 0, definitionHash: graph.hashes[0])
        #expect(graph.incompatibility(with: [record]) != nil)
        #expect(graph.index(ofStep: "caf\u{e9}") == 0)
        #expect(graph.index(ofStep: "cafe\u{301}") == nil)
    }

    @Test("a record's ID says the step and the element")
    func ids() {
        #expect(StepRecord.id(ofStep: "each", item: 12) == "each[12]")
        for (id, name, item) in [
            ("each[12]", "each", 12), ("each", "each", nil), ("each[x]", "each[x]", nil), ("[3]", "", 3),
            ("]", "]", nil),
            ("", "", nil), ("é 🛩️[0]", "é 🛩️", 0),
        ] as [(String, String, Int?)] {
            let parts = StepRecord.parts(ofID: id)
            #expect(parts.name == name && parts.item == item)
        }
    }

    @Test("progress is the share of the steps that have ended; forks' ends are none, a loop is one")
    func progress() {
        #expect(self.graph.stepCount == 5)
        #expect((0...6).map { self.graph.progress(endedSteps: $0) } == [0, 0.2, 0.4, 0.6, 0.8, 1, 1])
        #expect(self.graph.positions == [0, 1, 2, 3, 4, 4])
    }

    @Test("a step sees the state of those before it; declared last wins, of elements the last")
    func sharedState() throws {
        func set(_ key: String, _ step: String, _ value: Int?) -> StateRecord {
            StateRecord(key: key, step: step, value: value.map { RunValue($0) })
        }
        // In an order that chance could bring.
        let records = [
            set("seats", "each[1]", 31), set("seats", "list", 1), set("seats", "charge", 2),
            set("seats", "each[10]", 40),
            set("seats", "each[2]", 32), set("price", "list", 9), set("price", "charge", nil), set("seats", "gone", 99),
            set("note", "each[0]", nil), set("caf\u{e9}", "list", 1), set("cafe\u{301}", "list", 2),
        ]
        func state(_ step: String?) throws -> [IDKey: Int] {
            let node = try step.map { try #require(self.graph.index(ofStep: $0)) }
            return try self.graph.sharedState(records, seenBy: node).mapValues { try $0.decoded(as: Int.self) }
        }
        let accents = [IDKey("caf\u{e9}"): 1, IDKey("cafe\u{301}"): 2]
        func with(_ others: [IDKey: Int]) -> [IDKey: Int] { accents.merging(others) { $1 } }
        #expect(try state("list") == [:])
        #expect(try state("charge") == with([IDKey("seats"): 1, IDKey("price"): 9]))
        #expect(try state("each") == with([IDKey("seats"): 1, IDKey("price"): 9]))
        #expect(try state("sum") == with([IDKey("seats"): 40, IDKey("price"): 9]))
        #expect(try state("ship") == with([IDKey("seats"): 40]))
        #expect(try state(nil) == with([IDKey("seats"): 40]))
    }
}
