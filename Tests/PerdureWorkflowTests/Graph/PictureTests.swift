import Testing

@testable import PerdureWorkflow

@Suite("Pictures of definitions")
struct PictureTests {
    /// A definition with everything that shows.
    private static let workflow: Workflow<Int, Outputs2<Int, String>> = {
        let care = Workflow("passenger-care") { Step("assess") { (i: Int) in i } }
        return Workflow("fulfil-order", version: "2") {
            Step("reserve") { (i: Int) in i }.retry(.exponential(attempts: 5))
            Parallel {
                Step("charge") { (i: Int) in i }.atMostOnce()
                Branch {
                    Step("pick") { (i: Int) in [i] }
                    ForEach("wrap", limit: 8) { (i: Int) in i }
                    Parallel {
                        Step("weigh") { (list: [Int]) in list.count }
                        Step("photo") { (list: [Int]) in list.count }.continueOnError()
                    }
                }
                Parallel {
                    Step("tell") { (i: Int) in i }.when { $0 > 3 }
                    Step("ask") { (i: Int) in "\(i)" }.when({ $0 > 3 }, otherwise: "")
                }
            }
            Step("ship") { (all: Outputs3<Int, Outputs2<Int, Int?>, Outputs2<Int, String>>) in all.first }
            Sleep("cool off", for: .seconds(90 * 60))
            SleepUntil("departure") { (i: Int) in Int64(i) }
            WaitForSignal("confirmed", Int.self, timeout: .milliseconds(1_500)) { (i: Int, signal: Int?) in i }
            Child("care", care)
            Parallel {
                Step("note") { (i: Int) in i }
                Step("text") { (i: Int) in "\(i)" }
            }
            Parallel {
                Step("left") { (both: Outputs2<Int, String>) in both.first }
                Step("right") { (both: Outputs2<Int, String>) in both.second }
            }
        }
    }()

    private static let statuses: [String: StepStatus] = [
        "reserve": .completed, "charge": .failed, "pick": .completed, "wrap": .running, "wrap[0]": .completed,
        "wrap[1]": .running, "wrap[2]": .retrying, "tell": .skipped, "ask": .cancelled, "weigh": .retrying,
        "photo": .waiting, "ship": .pending,
    ]

    @Test("as text")
    func text() {
        #expect(Self.workflow.violations == [])
        #expect(
            Self.workflow.text() == """
                fulfil-order, version 2: Int → (Int, String)
                ├─ reserve
                ├─ side by side
                │  ├─ charge: at most once
                │  ├─ in a row
                │  │  ├─ pick
                │  │  ├─ wrap: for each element, 8 at once
                │  │  └─ side by side
                │  │     ├─ weigh
                │  │     └─ photo: goes on when it fails
                │  └─ side by side
                │     ├─ tell: only if its condition holds, else skipped
                │     └─ ask: only if its condition holds, else its default
                ├─ ship
                ├─ cool off: waits 1 h 30 min
                ├─ departure: waits until a time that its input says
                ├─ confirmed: waits for the signal confirmed, at most 1 s 500 ms
                ├─ care: runs the workflow passenger-care
                ├─ side by side
                │  ├─ note
                │  └─ text
                └─ side by side
                   ├─ left
                   └─ right
                """ + "\n")
    }

    @Test("as text with the statuses of a run")
    func textWithStatuses() {
        let lines = Self.workflow.text(statuses: Self.statuses).split(separator: "\n")
        #expect(
            lines[1...13].joined(separator: "\n") == """
                ├─ ✓ reserve
                ├─ side by side
                │  ├─ ✗ charge: at most once
                │  ├─ in a row
                │  │  ├─ ✓ pick
                │  │  ├─ ▶ wrap: for each element, 8 at once; 1 of 3 begun elements ended
                │  │  └─ side by side
                │  │     ├─ ↻ weigh
                │  │     └─ ◷ photo: goes on when it fails
                │  └─ side by side
                │     ├─ – tell: only if its condition holds, else skipped
                │     └─ ⊘ ask: only if its condition holds, else its default
                ├─ · ship
                """)
    }

    @Test("as Mermaid")
    func mermaid() {
        #expect(
            Self.workflow.mermaid() == """
                flowchart TD
                    input(["fulfil-order<br/>Int"])
                    s0["reserve"]
                    s1["charge<br/>at most once"]
                    s2["pick"]
                    s3[/"wrap<br/>for each element, 8 at once"/]
                    s4["weigh"]
                    s5["photo<br/>goes on when it fails"]
                    s7["tell<br/>only if its condition holds, else skipped"]
                    s8["ask<br/>only if its condition holds, else its default"]
                    s11["ship"]
                    s12("cool off<br/>waits 1 h 30 min")
                    s13("departure<br/>waits until a time that its input says")
                    s14{{"confirmed<br/>waits for the signal confirmed, at most 1 s 500 ms"}}
                    s15[["care<br/>runs the workflow passenger-care"]]
                    s16["note"]
                    s17["text"]
                    s18((" "))
                    s19["left"]
                    s20["right"]
                    output(["(Int, String)"])
                    input --> s0
                    s0 --> s1
                    s0 --> s2
                    s2 --> s3
                    s3 --> s4
                    s3 --> s5
                    s0 -.->|"if its condition holds"| s7
                    s0 -.->|"if its condition holds"| s8
                    s1 --> s11
                    s4 --> s11
                    s5 --> s11
                    s7 --> s11
                    s8 --> s11
                    s11 --> s12
                    s12 --> s13
                    s13 --> s14
                    s14 --> s15
                    s15 --> s16
                    s15 --> s17
                    s16 --> s18
                    s17 --> s18
                    s18 --> s19
                    s18 --> s20
                    s19 --> output
                    s20 --> output
                """ + "\n")
    }

    @Test("as Mermaid with the statuses of a run: classes on top, the rest as before")
    func mermaidWithStatuses() {
        let plain = Self.workflow.mermaid().replacing("8 at once", with: "8 at once<br/>1 of 3 begun elements ended")
        let coloured = Self.workflow.mermaid(statuses: Self.statuses)
        #expect(coloured.hasPrefix(plain))
        #expect(
            coloured.dropFirst(plain.count) == """
                    classDef pending fill:#f6f8fa,stroke:#8c959f,color:#57606a
                    class s11 pending
                    classDef running fill:#ddf4ff,stroke:#0969da,color:#0a3069
                    class s3 running
                    classDef waiting fill:#fbefff,stroke:#8250df,color:#3e1f79
                    class s5 waiting
                    classDef retrying fill:#fff8c5,stroke:#bf8700,color:#4d2d00
                    class s4 retrying
                    classDef completed fill:#dafbe1,stroke:#1a7f37,color:#044f1e
                    class s0,s2 completed
                    classDef failed fill:#ffebe9,stroke:#cf222e,color:#82071e
                    class s1 failed
                    classDef skipped fill:#f6f8fa,stroke:#8c959f,color:#57606a,stroke-dasharray:4
                    class s7 skipped
                    classDef cancelled fill:#eaeef2,stroke:#57606a,color:#24292f,stroke-dasharray:4
                    class s8 cancelled
                """ + "\n")
    }

    @Test("names cannot break out of their labels")
    func escapes() {
        let workflow = Workflow("a\"b]\n#<script>`&;\\") {
            Step("say \"hi\" (--> {x}) | %% end") { (i: Int) in i }
            WaitForSignal("go", Int.self, signal: "\"]\u{7}") { (i: Int, _: Int) in i }
        }
        let lines = workflow.mermaid().split(separator: "\n")
        #expect(
            lines[1]
                == "    input([\"a#34;b]#60;U+A#62;#35;#60;script#62;#96;#38;#59;#92;<br/>Int\"])")
        #expect(lines[2] == "    s0[\"say #34;hi#34; (--#62; {x}) | %% end\"]")
        #expect(lines[3] == "    s1{{\"go<br/>waits for the signal #34;]#60;U+7#62;\"}}")
        #expect(workflow.text().split(separator: "\n").count == 3)
    }

    @Test("a workflow without a part is drawn as well, for whoever looks for what is wrong")
    func empty() {
        let graph = WorkflowGraph(name: "none", version: "1", nodes: [], inputType: "Int")
        #expect(graph.text() == "none, version 1: Int → Int\n")
        #expect(
            graph.mermaid()
                == "flowchart TD\n    input([\"none<br/>Int\"])\n    output([\"Int\"])\n    input --> output\n")
    }

    @Test(
        "durations as people say them",
        arguments: [
            (Duration.zero, "0 s"), (.seconds(90), "1 min 30 s"), (.milliseconds(500), "500 ms"),
            (.seconds(86_400 * 30), "30 d"), (.seconds(5_400), "1 h 30 min"), (.microseconds(1_500), "1 ms 500 µs"),
            (.nanoseconds(7), "7 ns"), (.seconds(-1), "-1 s"),
        ])
    func durations(duration: Duration, text: String) {
        #expect(NodeWords.text(duration) == text)
    }
}
