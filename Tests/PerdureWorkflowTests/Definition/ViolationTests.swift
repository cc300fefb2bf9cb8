import PerdureWorkflow
import Testing

@Suite("Definitions that cannot work")
struct ViolationTests {
    @Test("a definition that can work has none")
    func fine() {
        #expect(Workflow("orders") { Step("a") { (i: Int) in i } }.violations == [])
        #expect(Workflow("orders") { Step(String(repeating: "n", count: 200)) { (i: Int) in i } }.violations == [])
        #expect(Workflow("a/b#c") { Step("Prüfen & 支払い, 2.") { (i: Int) in i } }.violations == [])
    }

    @Test("two steps of one name, wherever they are")
    func names() {
        let workflow = Workflow("orders") {
            Step("charge") { (i: Int) in i }
            Parallel {
                Step("ship") { (i: Int) in i }
                Branch {
                    Sleep("charge", for: .seconds(1)); Step("pack") { (i: Int) in i }
                }
            }
        }
        #expect(workflow.violations == ["two steps are called \"charge\": give each a name of its own"])
    }

    @Test("names are told apart by their bytes")
    func bytes() {
        let workflow = Workflow("orders") {
            Step("caf\u{e9}") { (i: Int) in i }
            Step("cafe\u{301}") { (i: Int) in i }
        }
        #expect(workflow.violations == [])
    }

    @Test(
        "names that would not work in IDs",
        arguments: [
            ("", "a name must not be empty"), ("a[1]", "brackets are for the elements of a loop"),
            ("a]", "brackets are for the elements of a loop"), ("a#b", "\"#\" separates names in IDs and keys"),
            ("a/b", "\"/\" separates names in IDs and keys"), ("a\nb", "control characters are not allowed"),
            ("a\0b", "control characters are not allowed"),
            (String(repeating: "é", count: 101), "a name has at most 200 bytes of UTF-8, this one has 202"),
        ])
    func name(name: String, reason: String) {
        let found = Workflow("orders") { Step(name) { (i: Int) in i } }.violations
        #expect(found == ["the step \(name.debugDescription) cannot be called so: \(reason)"])
    }

    @Test("a workflow keeps the rule of IDs")
    func workflowName() {
        let step = Step("a") { (i: Int) in i }
        #expect(
            Workflow("") { step }.violations == [
                "the name \"\" of a workflow does not work: a persistence ID must not be empty"
            ])
        #expect(
            Workflow("orders", version: "\0") { step }.violations == [
                "the version \"\\0\" does not work: a persistence ID must not contain NUL (U+0000)"
            ])
    }

    @Test("limits of zero, and less")
    func limits() {
        let workflow = Workflow(
            "orders", configuration: .init(concurrencyLimit: 0, resourceConcurrencyLimit: -1)
        ) {
            ForEach("each", limit: 0) { (i: Int) in i }.concurrency(key: "desk", limit: 0)
            Step("a") { (list: [Int]) in list }.concurrency(key: "", limit: 1)
        }
        #expect(
            workflow.violations == [
                "the limit of runs must be at least 1, it is 0",
                "the limit of runs per resource must be at least 1, it is -1",
                "the step \"each\": the limit of elements must be at least 1, it is 0",
                "the step \"each\": the limit of its concurrency must be at least 1, it is 0",
                "the step \"a\": the key of its concurrency must not be empty",
            ])
    }

    @Test("attempts and pauses that are none")
    func retries() {
        let policy = RetryPolicy(
            maximumAttempts: 0, backoff: .linear, delay: .seconds(-1), maximumDelay: .seconds(-2), jitter: 1.5)
        let reasons = [
            "the number of attempts must be at least 1, it is 0",
            "the pause between attempts must not be negative, it is -1.0 seconds",
            "the longest pause between attempts must not be negative, it is -2.0 seconds",
            "the jitter of pauses must be between 0 and 1, it is 1.5",
        ]
        let step = Step("a") { (i: Int) in i }
        #expect(Workflow("w", configuration: .init(retry: policy)) { step }.violations == reasons)
        #expect(Workflow("w") { step.retry(policy) }.violations == reasons.map { "the step \"a\": \($0)" })
        #expect(Workflow("w") { step.retry(.linear(attempts: 1, jitter: .nan)) }.violations.count == 1)
    }

    @Test("times that are none, and times that nobody lives to see")
    func durations() {
        let workflow = Workflow(
            "w",
            configuration: .init(
                stepTimeout: .zero, runTimeout: .seconds(-1), retention: .seconds(-1))
        ) {
            Sleep("nap", for: .milliseconds(-1))
            Step("a") { (i: Int) in i }.timeout(.zero)
            WaitForSignal("b", Int.self, timeout: .seconds(-1)) { (i: Int, signal: Int?) in i }
            Sleep("long", for: .seconds(101 * 365 * 24 * 3600))
        }
        #expect(
            workflow.violations == [
                "the time-out of steps must be more than nothing, it is 0.0 seconds",
                "the time-out of runs must be more than nothing, it is -1.0 seconds",
                "the retention must not be negative, it is -1.0 seconds",
                "the step \"nap\": the wait must not be negative, it is -0.001 seconds",
                "the step \"a\": the time-out must be more than nothing, it is 0.0 seconds",
                "the step \"b\": the time-out of the wait must not be negative, it is -1.0 seconds",
                "the step \"long\": the wait must be at most a hundred years, it is 3185136000.0 seconds",
            ])
    }

    @Test("a time-out of less than a second is one")
    func shortTimeout() {
        #expect(Workflow("w") { Step("a") { (i: Int) in i }.timeout(.milliseconds(500)) }.violations == [])
        #expect(Workflow("w") { Step("a") { (i: Int) in i }.timeout(.nanoseconds(1)) }.violations == [])
    }

    @Test("what is wrong with a child is wrong with its parent")
    func child() {
        let child = Workflow("care") { ForEach("each", limit: 0) { (i: Int) in i } }
        let parent = Workflow("flight") { Child("passengers", child) }
        #expect(
            parent.violations == [
                """
                the step "passengers": in its workflow "care", the step "each": the limit of elements must be at least 1, \
                it is 0
                """
            ])
    }
}
