import Testing

@testable import PerdureWorkflow

@Suite("The structure of definitions as numbers")
struct StructureHashTests {
    private static func hashes<Input, Output>(_ workflow: Workflow<Input, Output>) -> [UInt64] { workflow.graph.hashes }

    private struct Reservation: Codable, Sendable { var seats = 0 }

    /// A definition with a node of each kind.
    private static func everything(
        policy: RetryPolicy = .none, limit: Int = 2, name: String = "pack", duration: Duration = .seconds(1)
    ) -> Workflow<Int, String> {
        let child = Workflow("child") { Step("inner") { (text: String) in text } }
        return Workflow("everything") {
            Step("reserve") { (i: Int) in Reservation(seats: i) }.retry(policy).timeout(duration)
            Parallel {
                Step("charge") { (it: Reservation) in it.seats }
                Branch {
                    Sleep("nap", for: duration)
                    Step(name) { (it: Reservation) in it.seats }
                }
            }
            Join("list") { (a: Int, b: Int) in [a, b] }
            ForEach("each", limit: limit) { (i: Int) in "\(i)" }
            WaitForSignal("go", Int.self) { (texts: [String], signal: Int) in texts.joined() }
            Child("child", child)
        }
    }

    @Test("are the same for ever: they are stored with runs")
    func golden() {
        #expect(
            Self.hashes(Self.everything()) == [
                4357924246613180515, 9757292435598866297, 299495752608314368, 7343453955981900712,
                4464710199536302825, 2908800812222094438, 15459659056059354951, 525437903615109970,
                17701053798527317985,
            ])
        #expect(Self.everything().graph.hash == 10_241_112_355_837_892_251)
    }

    @Test("are computed as it is written down")
    func formula() {
        // FNV-1a (64 bit) of kind, name and type, each ended by the byte 255, and of the hashes before, lowest byte first.
        func fnv(_ texts: [String], _ hashes: [UInt64] = []) -> UInt64 {
            var bytes: [UInt8] = []
            for text in texts { bytes += Array(text.utf8) + [255] }
            for hash in hashes {
                for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: hash >> UInt64(8 * place))) }
            }
            return bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        }
        let workflow = Workflow("w") {
            Parallel {
                Step("a") { (i: Int) in "\(i)" }
                Step("b") { (i: Int) in Reservation(seats: i) }
            }
        }
        let entry = fnv(["input", "Int"])
        let a = fnv(["step", "a", "String"], [entry])
        let b = fnv(["step", "b", "StructureHashTests.Reservation"], [entry])
        #expect(Self.hashes(workflow) == [a, b, fnv(["gather", "", ""], [a, b])])
    }

    @Test("do not depend on how steps are carried out")
    func settings() {
        let changed = Self.everything(policy: .exponential(attempts: 9), limit: 7, duration: .seconds(99))
        #expect(Self.hashes(changed) == Self.hashes(Self.everything()))
        #expect(changed.graph.hash == Self.everything().graph.hash)
        let step = Step("a") { (i: Int) in i }
        let plain = Workflow("w") { step }
        let other = Workflow("v", version: "2", configuration: .init(retry: .none, retention: .seconds(1))) {
            step.when { $0 > 1 }.validate { _ in }.atMostOnce().concurrency(key: "a", limit: 1)
        }
        #expect(Self.hashes(other) == Self.hashes(plain))
    }

    @Test("differ from a renamed step on, and only there")
    func renamed() {
        let (old, new) = (Self.hashes(Self.everything()), Self.hashes(Self.everything(name: "wrap")))
        #expect(zip(old, new).map { $0 == $1 } == [true, true, true, false, false, false, false, false, false])
    }

    @Test("differ where a step gives another type, takes another, or has moved")
    func changed() {
        let plain = Workflow("w") {
            Step("a") { (i: Int) in i }
            Step("b") { (i: Int) in i }
        }
        let retyped = Workflow("w") {
            Step("a") { (i: Int) in "\(i)" }
            Step("b") { (text: String) in text.count }
        }
        let moved = Workflow("w") {
            Step("b") { (i: Int) in i }
            Step("a") { (i: Int) in i }
        }
        let input = Workflow("w") {
            Step("a") { (text: String) in text.count }
            Step("b") { (i: Int) in i }
        }
        let optional = Workflow("w") {
            Step("a") { (i: Int) in i }.continueOnError()
            Step("b") { (i: Int?) in i ?? 0 }
        }
        let all = [plain, retyped, moved, optional].map { Self.hashes($0) } + [Self.hashes(input)]
        #expect(Set(all.flatMap { $0 }).count == 10)
    }

    @Test("differ where the kind differs, and what belongs to it")
    func kinds() {
        let child = Workflow("child") { Step("a") { (i: Int) in i } }
        let other = Workflow("other") { Step("a") { (i: Int) in i } }
        let all = [
            Self.hashes(Workflow("w") { Step("a") { (i: Int) in i } }),
            Self.hashes(Workflow("w") { SleepUntil("a") { (i: Int) in Int64(i) } }),
            Self.hashes(Workflow("w") { WaitForSignal("a", Int.self) { (i: Int, _: Int) in i } }),
            Self.hashes(Workflow("w") { WaitForSignal("a", Int.self, signal: "b") { (i: Int, _: Int) in i } }),
            Self.hashes(Workflow("w") { Child("a", child) }),
            Self.hashes(Workflow("w") { Child("a", other) }),
        ]
        #expect(Set(all).count == all.count)
    }

    @Test("of a fork's join differ with the branches and their order")
    func forks() {
        func join(_ names: [String]) -> UInt64? {
            Self.hashes(
                Workflow("w") {
                    Parallel {
                        Step(names[0]) { (i: Int) in i }
                        Step(names[1]) { (i: Int) in i }
                    }
                    Join("join") { (a: Int, b: Int) in a }
                }
            ).last
        }
        #expect(Set([join(["a", "b"]), join(["b", "a"]), join(["a", "c"])]).count == 3)
    }

    @Test("do not depend on the module, nor on where a type is declared")
    func localTypes() {
        struct Local: Codable, Sendable {}
        let workflow = Workflow("w") { Step("a") { (_: Int) in Local() } }
        #expect(workflow.graph.nodes[0].outputType == "StructureHashTests.Local")
        #expect(Self.everything().graph.nodes[0].outputType == "StructureHashTests.Reservation")
    }
}
