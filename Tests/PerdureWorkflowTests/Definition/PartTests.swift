import PerdureModel
import Testing

@testable import PerdureWorkflow

@Suite("Parts")
struct PartTests {
    struct Refused: Error {}

    struct Order: Codable, Sendable, Hashable, Validatable {
        var lines: [String]
        func validate() throws {
            if self.lines.isEmpty { throw ValidationError("an order has at least one line") }
            if self.lines.contains("poison") { throw Refused() }
        }
    }

    @Test("a step's handler gets the input, and its output goes on")
    func sequence() async throws {
        let workflow = Workflow("w") {
            Step("count") { (order: Order) in order.lines.count }
            Step("name") { (count: Int, context: StepContext) in "\(context.step) \(count)" }
        }
        let (live, stored) = try await workflow.outputs(for: Order(lines: ["a", "b"]))
        #expect(live == "name 2" && stored == live)
        #expect(workflow.graph.nodes.map(\.name) == ["count", "name"])
        #expect(workflow.graph.nodes.map(\.inputs) == [[-1], [0]])
        #expect(workflow.graph.exit == 1)
    }

    @Test("a handler that gives nothing gives Done")
    func done() async throws {
        let workflow: Workflow<Int, Done> = Workflow("w") {
            Step("one") { (number: Int) in try await Self.note(number) }
            Step("two") { (_: Done, _: StepContext) in }
            Step("three") { (done: Done) in
                if done == Done() { try await Self.note(1) }
                try await Self.note(2)
            }
        }
        let (live, stored) = try await workflow.outputs(for: 1)
        #expect(live == Done() && stored == live)
        #expect(try RunValue(Done()).bytes == Array("{}".utf8))
    }

    private static func note(_ number: Int) async throws {}

    @Test("functions are handlers too")
    func functions() async throws {
        let workflow = Workflow("w") {
            Step("double", Self.double)
            Step("note", Self.note)
        }
        _ = try await workflow.outputs(for: 1)
    }

    @Sendable private static func double(_ number: Int) async throws -> Int { 2 * number }

    @Test("a fork gives all branches, in the order of declaration", arguments: [false, true])
    func forks(reversed: Bool) async throws {
        let workflow = Workflow("w") {
            Parallel {
                Step("a") { (i: Int) in i + 1 }
                Step("b") { (i: Int) in "\(i)" }
                Step("c") { (i: Int) in Double(i) }
                Step("d") { (i: Int) in [i] }
                Step("e") { (i: Int) in i > 3 }
                Branch {
                    Sleep("nap", for: .seconds(1))
                    Step("f1") { (i: Int) in i * 2 }
                    Step("f2") { (i: Int) in "twice \(i)" }
                }
            }
        }
        let (live, stored) = try await workflow.outputs(for: 5)
        #expect(live == Outputs6(6, "5", 5.0, [5], true, "twice 10") && stored == live)
        #expect(
            workflow.graph.nodes.map(\.inputs) == [[-1], [-1], [-1], [-1], [-1], [-1], [5], [6], [0, 1, 2, 3, 4, 7]])
        #expect(workflow.graph.stepCount == 8)
    }

    @Test("a join gets every branch, in the order of declaration")
    func joins() async throws {
        let two = Workflow("w") {
            Parallel {
                Self.add(1); Self.add(2)
            }
            Join("join") { (a: Int, b: Int) in [a, b] }
        }
        let three = Workflow("w") {
            Parallel {
                Self.add(1); Self.add(2); Self.add(3)
            }
            Join("join") { (a: Int, b: Int, c: Int, context: StepContext) in [a, b, c] + [context.attempt] }
        }
        let four = Workflow("w") {
            Parallel {
                Self.add(1); Self.add(2); Self.add(3); Self.add(4)
            }
            Join("join") { (a: Int, b: Int, c: Int, d: Int) in [a, b, c, d] }
        }
        let five = Workflow("w") {
            Parallel {
                Self.add(1); Self.add(2); Self.add(3); Self.add(4); Self.add(5)
            }
            Join("join") { (a: Int, b: Int, c: Int, d: Int, e: Int, context: StepContext) in [a, b, c, d, e] }
        }
        let six = Workflow("w") {
            Parallel {
                Self.add(1); Self.add(2); Self.add(3); Self.add(4); Self.add(5); Self.add(6)
            }
            Join("join") { (a: Int, b: Int, c: Int, d: Int, e: Int, f: Int) in [a, b, c, d, e, f] }
        }
        for (workflow, outputs) in [
            (two, [1, 2]), (three, [1, 2, 3, 1]), (four, [1, 2, 3, 4]), (five, [1, 2, 3, 4, 5]),
            (six, [1, 2, 3, 4, 5, 6]),
        ] {
            let (live, stored) = try await workflow.outputs(for: 0)
            #expect(live == outputs && stored == outputs)
            #expect(workflow.violations == [])
        }
    }

    private static func add(_ number: Int) -> Step<Int, Int> { Step("add \(number)") { $0 + number } }

    @Test("joins that give nothing, and a step in the place of a join")
    func otherJoins() async throws {
        let workflow = Workflow("w") {
            Parallel {
                Self.add(1); Self.add(2)
            }
            Step("sum") { (both: Outputs2<Int, Int>) in both.first + both.second }
            Parallel {
                Self.add(3); Self.add(4); Self.add(5)
            }
            Join("note") { (a: Int, b: Int, c: Int) in try await Self.note(a + b + c) }
        }
        let (live, stored) = try await workflow.outputs(for: 0)
        #expect(live == Done() && stored == Done())
    }

    @Test("a fork within a fork")
    func nested() async throws {
        let workflow = Workflow("w") {
            Parallel {
                Parallel {
                    Self.add(1); Self.add(2)
                }
                Branch {
                    Self.add(10)
                    Parallel {
                        Self.add(20); Self.add(30)
                    }
                }
            }
        }
        let (live, stored) = try await workflow.outputs(for: 0)
        #expect(live == Outputs2(Outputs2(1, 2), Outputs2(30, 40)) && stored == live)
        #expect(workflow.graph.nodes.map(\.inputs) == [[-1], [-1], [0, 1], [-1], [3], [3], [4, 5], [2, 6]])
    }

    @Test("a loop's results are in the list's order; its settings are its own")
    func loop() async throws {
        let workflow = Workflow("w") {
            ForEach("double", limit: 2) { (i: Int) in "\(2 * i)" }.retry(.none)
            ForEach("note", limit: 1) { (text: String, context: StepContext) in try await Self.note(context.attempt) }
        }
        let (live, stored) = try await workflow.outputs(for: [3, 1, 2])
        #expect(live == [Done(), Done(), Done()] && stored == live)
        let first = Workflow("w") { ForEach("double", limit: 2) { (i: Int) in "\(2 * i)" } }
        #expect(try await first.outputs(for: [3, 1, 2]).stored == ["6", "2", "4"])
        #expect(try await first.outputs(for: []).stored == [])
        guard case .loop(let loop) = first.graph.nodes[0].kind else { Issue.record("no loop"); return }
        #expect(loop.limit == 2)
    }

    @Test("waits pass on what they are given, also where everything begins with them")
    func sleeps() async throws {
        let workflow = Workflow("w") {
            Sleep("first", for: .seconds(1))
            Sleep("second", for: .seconds(2))
            Step("a") { (i: Int) in i + 1 }
            Sleep("third", for: .seconds(3))
            SleepUntil("fourth") { (i: Int) in Int64(i) * 1_000 }
        }
        #expect(try await workflow.outputs(for: 1).stored == 2)
        #expect(workflow.graph.nodes.map(\.inputs) == [[-1], [0], [1], [2], [3]])
        #expect(workflow.violations == [])
        guard case .sleep(.until(let time)) = workflow.graph.nodes[4].kind else { Issue.record("no wait"); return }
        #expect(try time(RunValue(7)) == 7_000)
        let nap: Workflow<String, String> = Workflow("nap") { Sleep("only", for: .seconds(1)) }
        #expect(try await nap.outputs(for: "x").stored == "x")
    }

    @Test("a signal: required, optional, with another name than its step")
    func signals() async throws {
        let workflow = Workflow("w") {
            WaitForSignal("a", Int.self) { (i: Int, signal: Int) in i + signal }
            WaitForSignal("b", Int.self, timeout: .seconds(5)) { (i: Int, signal: Int?) in i + (signal ?? 100) }
            WaitForSignal("c", Int.self, signal: "d", timeout: .seconds(6)) { (i: Int, signal: Int, _: StepContext) in
                i + signal
            }
            WaitForSignal("e", Int.self, timeout: .seconds(7)) { (i: Int, signal: Int?, _: StepContext) in
                try await Self.note(i)
            }
        }
        let waits = workflow.graph.nodes.map { node -> String in
            guard case .signal(let waiting) = node.kind else { return "" }
            return "\(waiting.name) \(waiting.timeout.map { "\($0)" } ?? "-") \(waiting.isRequired)"
        }
        #expect(waits == ["a - true", "b 5.0 seconds false", "d 6.0 seconds true", "e 7.0 seconds false"])
        _ = try await workflow.outputs(for: 1, signals: ["a": RunValue(1), "b": RunValue(2), "d": RunValue(3)])
        let first = Workflow("w") {
            WaitForSignal("a", Int.self, timeout: .seconds(5)) { (i: Int, signal: Int?) in i + (signal ?? 100) }
        }
        #expect(try await first.outputs(for: 1, signals: ["a": RunValue(1)]).stored == 2)
        #expect(try await first.outputs(for: 1).stored == 101)
        await #expect(throws: MissingSignal.self) { try await workflow.outputs(for: 1) }
    }

    @Test("a child takes the input and gives the output of its workflow")
    func child() async throws {
        let child = Workflow("child") { Step("a") { (i: Int) in "\(i)" } }
        let workflow = Workflow("w") {
            Child("c", child)
            Step("b") { (text: String) in text + "!" }
        }
        #expect(try await workflow.outputs(for: 3).stored == "3!")
        guard case .child(let graph) = workflow.graph.nodes[0].kind else { Issue.record("no child"); return }
        #expect(graph === child.graph)
        let careful = Workflow("w") {
            Child("c", child).validate { (i: Int) in if i < 0 { throw ValidationError("not negative") } }
                .when({ $0 > 3 }, otherwise: "small").continueOnError()
        }
        #expect(try await careful.outputs(for: 5).stored == "5")
        #expect(try await careful.outputs(for: 1).stored == "small")
        #expect(try await careful.outputs(for: -1).stored == nil)
        let same = Workflow("same") { Step("a") { (i: Int) in i + 1 } }
        let skipped = Workflow("w") { Child("c", same).when { $0 > 3 } }
        #expect(try await skipped.outputs(for: 1).stored == 1)
        #expect(try await skipped.outputs(for: 4).stored == 5)
    }

    @Test("a condition that does not hold: the default, or the input passed on")
    func conditions() async throws {
        let workflow = Workflow("w") {
            Step("discount") { (price: Int) in price - 10 }.when { $0 > 100 }
            Step("text") { (price: Int) in "\(price)" }.when({ price, _ in price > 50 }, otherwise: "cheap")
        }
        #expect(try await workflow.outputs(for: 200).stored == "190")
        #expect(try await workflow.outputs(for: 60).stored == "60")
        #expect(try await workflow.outputs(for: 50).stored == "cheap")
        #expect(workflow.graph.nodes[0].settings.otherwise == nil)
        #expect(try workflow.graph.nodes[1].settings.otherwise?.bytes == Array("\"cheap\"".utf8))
    }

    @Test("the last condition counts, with what belongs to it")
    func lastCondition() async throws {
        let workflow = Workflow("w") {
            Step("a") { (i: Int) in i + 1 }.when({ _ in false }, otherwise: 100).when { _ in false }
        }
        #expect(try await workflow.outputs(for: 5).stored == 5)
    }

    @Test("continuing on error makes the output an optional, and only once")
    func continueOnError() async throws {
        let workflow: Workflow<Int, Int?> = Workflow("w") {
            Step("a") { (i: Int) in if i < 0 { throw Refused() } else { i } }.continueOnError()
            Step("b") { (i: Int?) in i }.continueOnError()
        }
        #expect(try await workflow.outputs(for: 5) == (5, 5))
        #expect(try await workflow.outputs(for: -5) == (nil, nil))
        #expect(workflow.graph.nodes.map(\.outputType) == ["Optional<Int>", "Optional<Int>"])
        let list: Workflow<[Int], [Int]?> = Workflow("w") {
            ForEach("a", limit: 1) { (i: Int) in if i < 0 { throw Refused() } else { i } }.continueOnError()
        }
        #expect(try await list.outputs(for: [1, 2]).stored == [1, 2])
        #expect(try await list.outputs(for: [1, -2]).stored == nil)
    }

    @Test("a skipped step that continues on error passes its input on as an optional")
    func skippedOptional() async throws {
        let workflow: Workflow<Int, Int?> = Workflow("w") {
            Step("a") { (i: Int) in i + 1 }.when { $0 > 3 }.continueOnError()
        }
        #expect(try await workflow.outputs(for: 1) == (1, 1))
        #expect(try await workflow.outputs(for: 4) == (5, 5))
    }

    @Test("settings land where they belong, in any order, and touch nothing else")
    func settings() {
        let step = Step("a") { (i: Int) in i }
        let changed = step.timeout(.milliseconds(500)).atMostOnce().retry(.exponential(attempts: 5))
            .concurrency(key: "desk", limit: 3)
        let settings = changed.node.settings
        #expect(settings.timeout == .milliseconds(500) && settings.rerun == .atMostOnce)
        #expect(settings.retry?.maximumAttempts == 5 && settings.concurrency?.key == "desk")
        #expect(settings.concurrency?.limit == 3)
        #expect(settings.validation == nil && settings.condition == nil && settings.outputAfterFailure == nil)
        #expect(step.node.settings.timeout == nil && step.node.settings.rerun == .idempotent)
    }

    @Test("the defaults are Gorkflow's: 3 retries, 1 s, linear, 30 s an attempt")
    func defaults() {
        let configuration = Workflow("w") { Step("a") { (i: Int) in i } }.configuration
        #expect(configuration.retry.maximumAttempts == 4 && configuration.retry.backoff == .linear)
        #expect(configuration.retry.delay == .seconds(1) && configuration.stepTimeout == .seconds(30))
        #expect(configuration.runTimeout == nil && configuration.retention == nil)
        #expect(configuration.concurrencyLimit == nil && configuration.resourceConcurrencyLimit == nil)
    }

    @Test("a part of one's own is what it consists of")
    func ownPart() async throws {
        struct Payment: FlowPart {
            let fee: Int
            var parts: Flow<Int, String> {
                Step("authorise") { (price: Int) in price + fee }
                Step("capture") { (price: Int) in "paid \(price)" }
            }
        }
        let workflow = Workflow("w") {
            Parallel {
                Payment(fee: 2); Self.add(1)
            }
        }
        #expect(try await workflow.outputs(for: 1).stored == Outputs2("paid 3", 2))
        #expect(workflow.graph.nodes.map(\.name) == ["authorise", "capture", "add 1", ""])
    }
}
