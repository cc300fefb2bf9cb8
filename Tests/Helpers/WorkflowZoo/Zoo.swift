package import PerdureWorkflow

/// One workflow of every kind, each with the model that says what must come of it.
package struct Zoo: Sendable {
    /// In the order in which they are listed.
    package let animals: [Animal]

    private let witness: Witness
    private let work: @Sendable () async -> Void

    /// A zoo whose handlers are seen by `witness`, and take as long as `work`.
    package init(_ witness: Witness, work: @escaping @Sendable () async -> Void = {}) {
        self.witness = witness
        self.work = work
        let hand = Hand(witness: witness, work: work)
        self.animals = [
            Self.sequence(hand), Self.fork(hand), Self.loop(hand), Self.sleep(hand), Self.signal(hand),
            Self.child(hand), Self.retry(hand), Self.failure(hand), Self.cancel(hand), Self.state(hand),
            Self.once(hand),
        ]
    }

    /// The names of all.
    package static var names: [String] { Zoo(Witness(name: "") { _ in }).animals.map(\.name) }

    /// The animal of a name.
    package func animal(_ name: String) -> Animal? { self.animals.first { $0.name == name } }

    /// All of them, for an engine.
    package var workflows: [RegisteredWorkflow] {
        self.animals.flatMap { WorkflowsBuilder.buildExpression($0.workflow) }
    }

    /// What all handlers do: they let the world see them, take their time, and leave their mark.
    struct Hand: Sendable {
        let witness: Witness
        let work: @Sendable () async -> Void

        func on(_ parcel: Parcel, _ context: StepContext, _ change: (Int) -> Int) async -> Parcel {
            let mark = self.witness.ran(context, with: parcel)
            await self.work()
            return parcel.after(context.step, mark, change)
        }
    }

    // MARK: The animals

    private static func sequence(_ hand: Hand) -> Animal {
        let workflow = Workflow("sequence") {
            Step("first") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &+ 1 } }
            Step("second") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &* 2 } }
            Step("third") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &- 3 } }
        }
        return Animal(workflow) { number, marks in
            let parcel = Parcel(number).after("first", marks("first")) { $0 &+ 1 }
                .after("second", marks("second")) { $0 &* 2 }.after("third", marks("third")) { $0 &- 3 }
            return .completed(parcel)
        }
    }

    private static func fork(_ hand: Hand) -> Animal {
        let workflow = Workflow("fork") {
            Step("before") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &+ 1 } }
            Parallel {
                Step("left") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &+ 10 } }
                Branch {
                    Step("middle") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &+ 20 } }
                    Step("inner") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &* 3 } }
                }
                Step("right") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &+ 30 } }
            }
            Join("join") { (left: Parcel, inner: Parcel, right: Parcel, context: StepContext) in
                await hand.on(Self.joined(left, inner, right), context) { $0 }
            }
        }
        return Animal(workflow) { number, marks in
            let before = Parcel(number).after("before", marks("before")) { $0 &+ 1 }
            let left = before.after("left", marks("left")) { $0 &+ 10 }
            let inner = before.after("middle", marks("middle")) { $0 &+ 20 }.after("inner", marks("inner")) { $0 &* 3 }
            let right = before.after("right", marks("right")) { $0 &+ 30 }
            return .completed(Self.joined(left, inner, right).after("join", marks("join")) { $0 })
        }
    }

    /// The order counts.
    private static func joined(_ left: Parcel, _ inner: Parcel, _ right: Parcel) -> Parcel {
        Parcel(
            2 &* left.number &+ 3 &* inner.number &+ 5 &* right.number, trail: left.trail + inner.trail + right.trail)
    }

    private static func loop(_ hand: Hand) -> Animal {
        let workflow = Workflow("loop") {
            Step("split") { (it: Parcel, context: StepContext) in
                let own = await hand.on(it, context) { $0 }
                return (0..<4).map { Parcel(own.number &+ $0, trail: own.trail) }
            }
            ForEach("each", limit: 2) { (it: Parcel, context: StepContext) in
                await hand.on(it, context) { $0 &* $0 }
            }
            Step("sum") { (them: [Parcel], context: StepContext) in
                await hand.on(Self.sum(of: them), context) { $0 }
            }
        }
        return Animal(workflow) { number, marks in
            let own = Parcel(number).after("split", marks("split")) { $0 }
            let each = (0..<4).map { place in
                Parcel(own.number &+ place, trail: own.trail)
                    .after("each[\(place)]", marks("each[\(place)]")) { $0 &* $0 }
            }
            return .completed(Self.sum(of: each).after("sum", marks("sum")) { $0 })
        }
    }

    private static func sum(of parcels: [Parcel]) -> Parcel {
        Parcel(parcels.reduce(0) { 2 &* $0 &+ $1.number }, trail: parcels.flatMap(\.trail))
    }

    private static func sleep(_ hand: Hand) -> Animal {
        let workflow = Workflow("sleep") {
            Step("first") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &+ 1 } }
            Sleep("rest", for: .milliseconds(30))
            Step("second") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &* 2 } }
        }
        let rest = Animal.Rest(step: "rest", next: "second", milliseconds: 30)
        return Animal(workflow, rest: rest) { number, marks in
            let parcel = Parcel(number).after("first", marks("first")) { $0 &+ 1 }
                .after("second", marks("second")) { $0 &* 2 }
            return .completed(parcel)
        }
    }

    /// Two waits for signals of one name: the first brings its run's number once more, the second the number after that.
    private static func signal(_ hand: Hand) -> Animal {
        let workflow = Workflow("signal") {
            Step("ask") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &+ 1 } }
            WaitForSignal("go", Int.self) { (it: Parcel, signal: Int, context: StepContext) in
                await hand.on(it, context) { 100 &* $0 &+ signal }
            }
            WaitForSignal("go on", Int.self, signal: "go") { (it: Parcel, signal: Int, context: StepContext) in
                await hand.on(it, context) { 10 &* $0 &+ signal }
            }
        }
        return Animal(workflow, visit: .signals) { number, marks in
            let parcel = Parcel(number).after("ask", marks("ask")) { $0 &+ 1 }
                .after("go", marks("go")) { 100 &* $0 &+ number }
                .after("go on", marks("go on")) { 10 &* $0 &+ number &+ 1 }
            return .completed(parcel)
        }
    }

    private static func child(_ hand: Hand) -> Animal {
        let child = Workflow("child of a parent") {
            Step("grow") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &* 7 } }
            Step("leave") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &+ 1 } }
        }
        let workflow = Workflow("child") {
            Step("before") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &+ 1 } }
            Child("child", child)
            Step("after") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &* 2 } }
        }
        return Animal(workflow, children: ["child"]) { number, marks in
            let parcel = Parcel(number).after("before", marks("before")) { $0 &+ 1 }
                .after("grow", marks("child/grow")) { $0 &* 7 }.after("leave", marks("child/leave")) { $0 &+ 1 }
                .after("after", marks("after")) { $0 &* 2 }
            return .completed(parcel)
        }
    }

    private static func retry(_ hand: Hand) -> Animal {
        let workflow = Workflow("retry", configuration: .init(retry: .none)) {
            Step("flaky") { (it: Parcel, context: StepContext) in
                let own = await hand.on(it, context) { $0 &+ 1 }
                if context.attempt < 3 { throw Trouble(it.number) }
                return own
            }.retry(.immediate(attempts: 4))
            Step("slow") { (it: Parcel, context: StepContext) in
                let own = await hand.on(it, context) { $0 &* 2 }
                if context.attempt < 2 { throw Trouble(it.number) }
                return own
            }.retry(.init(maximumAttempts: 2, backoff: .linear, delay: .milliseconds(10), jitter: 0))
            Step("gives up") { (it: Parcel, context: StepContext) -> Parcel in
                _ = await hand.on(it, context) { $0 }
                throw Trouble(it.number)
            }.continueOnError()
            Step("end") { (it: Parcel?, context: StepContext) in
                let slow: Parcel? = try context.output(of: "slow")
                return await hand.on(it ?? slow ?? Parcel(-1), context) { $0 &- 1 }
            }
        }
        return Animal(workflow, attempts: ["flaky": 3, "slow": 2, "gives up": 1]) { number, marks in
            let parcel = Parcel(number).after("flaky", marks("flaky")) { $0 &+ 1 }
                .after("slow", marks("slow")) { $0 &* 2 }.after("end", marks("end")) { $0 &- 1 }
            return .completed(parcel)
        }
    }

    private static func failure(_ hand: Hand) -> Animal {
        let workflow = Workflow("failure", configuration: .init(retry: .immediate(attempts: 2))) {
            Step("first") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &+ 1 } }
            Step("breaks") { (it: Parcel, context: StepContext) -> Parcel in
                _ = await hand.on(it, context) { $0 }
                throw Trouble(it.number)
            }
            Step("never") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 } }
        }
        return Animal(workflow, attempts: ["breaks": 2]) { number, _ in
            .failed(step: "breaks", message: Trouble(number &+ 1).description)
        }
    }

    private static func cancel(_ hand: Hand) -> Animal {
        let workflow = Workflow("cancel") {
            Step("first") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &+ 1 } }
            WaitForSignal("never", Int.self) { (it: Parcel, signal: Int, context: StepContext) in
                await hand.on(it, context) { $0 }
            }
        }
        return Animal(workflow, visit: .cancel) { _, _ in .cancelled }
    }

    /// What the steps share counts like what they give.
    private static func state(_ hand: Hand) -> Animal {
        let seats = RunStateKey("seats", default: 0)
        let workflow = Workflow("state") {
            Step("first") { (it: Parcel, context: StepContext) in
                context.state[seats] += it.number
                return await hand.on(it, context) { $0 }
            }
            Parallel {
                Step("left") { (it: Parcel, context: StepContext) in
                    context.state[seats] += 10
                    return await hand.on(it, context) { $0 }
                }
                Step("right") { (it: Parcel, context: StepContext) in
                    context.state[seats] += 100
                    return await hand.on(it, context) { $0 }
                }
            }
            Join("end") { (left: Parcel, right: Parcel, context: StepContext) in
                let found = context.state[seats]
                return await hand.on(Parcel(0, trail: left.trail + right.trail), context) { _ in found }
            }
        }
        return Animal(workflow) { number, marks in
            let first = Parcel(number).after("first", marks("first")) { $0 }
            let left = first.after("left", marks("left")) { $0 }
            let right = first.after("right", marks("right")) { $0 }
            // Of those that set it, the one that is declared last counts; it has not seen its sibling.
            let end = Parcel(0, trail: left.trail + right.trail).after("end", marks("end")) { _ in number &+ 100 }
            return .completed(end)
        }
    }

    /// A step that must run at most once: after a crash somebody decides.
    private static func once(_ hand: Hand) -> Animal {
        let workflow = Workflow("once") {
            Step("first") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &+ 1 } }
            Step("pay") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &* 2 } }.atMostOnce()
            Step("end") { (it: Parcel, context: StepContext) in await hand.on(it, context) { $0 &- 1 } }
        }
        return Animal(workflow) { number, marks in
            let parcel = Parcel(number).after("first", marks("first")) { $0 &+ 1 }
                .after("pay", marks("pay")) { $0 &* 2 }.after("end", marks("end")) { $0 &- 1 }
            return .completed(parcel)
        }
    }
}

/// What handlers throw.
struct Trouble: Error, CustomStringConvertible {
    private let number: Int

    init(_ number: Int) { self.number = number }

    var description: String { "trouble with \(self.number)" }
}
