// Definitions that must not compile. `TypingTests` runs the compiler: each comment `refused:` must be what it says about the
// next line, and it must say nothing else.
import PerdureWorkflow

struct Plain: Sendable {}
final class Shared: Codable { var count = 1 }

func sequence() {
    _ = Workflow("w") {
        Step("a") { (i: Int) in "\(i)" }
        // refused: cannot convert value of type 'Flow<Int, Int>' to expected argument type 'Flow<String, Int>'
        Step("b") { (i: Int) in i }
        Step("c") { (i: Int) in i }
    }
}

func branchesOfOtherInputs() {
    _ = Workflow("w") {
        Parallel {
            Step("a") { (i: Int) in "\(i)" }
            // refused: cannot convert value of type 'Flow<String, String>' to expected argument type 'Flow<Int, String>'
            Step("b") { (text: String) in text }
        }
    }
}

func joinInOtherOrder() {
    _ = Workflow("w") {
        Parallel {
            Step("a") { (i: Int) in "\(i)" }
            Step("b") { (i: Int) in i }
        }
        // refused: 'Flow<Outputs2<Int, String>, Int>' to expected argument type 'Flow<Outputs2<String, Int>, Int>'
        Join("j") { (a: Int, b: String) in a }
    }
}

func joinOfTooFew() {
    _ = Workflow("w") {
        Parallel {
            Step("a") { (i: Int) in "\(i)" }
            Step("b") { (i: Int) in i }
            Step("c") { (i: Int) in i }
        }
        // refused: to expected argument type 'Flow<Outputs3<String, Int, Int>, String>'
        Join("j") { (a: String, b: Int) in a }
    }
}

func forkIgnored() {
    _ = Workflow("w") {
        Parallel {
            Step("a") { (i: Int) in "\(i)" }
            Step("b") { (i: Int) in i }
        }
        // refused: to expected argument type 'Flow<Outputs2<String, Int>, String>'
        Step("first only") { (a: String) in a }
    }
}

func noBranch() {
    _ = Workflow("w") {
        // refused: a fork has 2 to 6 branches; this one has none
        Parallel {}
    }
}

func oneBranch() {
    _ = Workflow("w") {
        // refused: a fork has 2 to 6 branches; write a single one without a fork
        Parallel { Step("a") { (i: Int) in i } }
    }
}

func sevenBranches() {
    _ = Workflow("w") {
        // refused: a fork has 2 to 6 branches; put some of them into a fork of their own
        Parallel {
            Step("a1") { (i: Int) in i }
            Step("a2") { (i: Int) in i }
            Step("a3") { (i: Int) in i }
            Step("a4") { (i: Int) in i }
            Step("a5") { (i: Int) in i }
            Step("a6") { (i: Int) in i }
            Step("a7") { (i: Int) in i }
        }
    }
}

func noPart() {
    // refused: there is no part: a workflow, and a branch, has at least one
    _ = Workflow<Int, Int>("w") {}
}

func partsUnderCondition(flag: Bool) {
    _ = Workflow("w") {
        Step("a") { (i: Int) in i }
        // refused: a workflow always has the same parts; let a step run under a condition with .when
        if flag { Step("b") { (i: Int) in i } }
    }
}

func partsInALoop() {
    _ = Workflow("w") {
        Step("a") { (i: Int) in i }
        // refused: a workflow always has the same parts; ForEach is the loop of a run
        for number in 0..<3 { Step("b\(number)") { (i: Int) in i } }
    }
}

func outputThatCannotBeStored() {
    _ = Workflow("w") {
        Step("a") { (i: Int) in
            let plain = Plain()
            // refused: cannot convert value of type 'Plain' to closure result type 'Void'
            return plain
        }
    }
}

func inputThatCannotBeStored() {
    _ = Workflow("w") {
        // refused: requires that 'Plain' conform to 'Encodable'
        Step("a") { (plain: Plain) in 1 }
    }
}

func outputThatCannotBeShared() {
    // refused: type 'Shared' does not conform to the 'Sendable' protocol
    _ = Step("a") { (i: Int) in Shared() }
}

func skippedWithoutADefault() {
    _ = Workflow("w") {
        // refused: cannot convert value of type 'String' to closure result type 'Int'
        Step("a") { (i: Int) in "\(i)" }.when { $0 > 3 }
    }
}

func defaultOfAnotherType() {
    _ = Workflow("w") {
        // refused: cannot convert value of type 'String' to closure result type 'Int'
        Step("a") { (i: Int) in "\(i)" }.when({ $0 > 3 }, otherwise: 3)
    }
}

func failureIgnored() {
    _ = Workflow("w") {
        Step("a") { (i: Int) in i }.continueOnError()
        // refused: cannot convert value of type 'Flow<Int, Int>' to expected argument type 'Flow<Int?, Int>'
        Step("b") { (i: Int) in i }
    }
}

func elementsOfAnotherType() {
    _ = Workflow("w") {
        Step("a") { (i: Int) in [i] }
        // refused: to expected argument type 'Flow<[Int],
        ForEach("b", limit: 2) { (text: String) in text }
    }
}

func signalOfAnotherType() {
    // refused: cannot convert value of type '@Sendable (Int, String) -> Int'
    _ = WaitForSignal("s", Int.self) { (i: Int, signal: String) in i }
}

func childOfAnotherInput(child: Workflow<String, Int>) {
    _ = Workflow("w") {
        Step("a") { (i: Int) in i }
        // refused: cannot convert value of type 'Flow<String, Int>' to expected argument type 'Flow<Int, Int>'
        Child("c", child)
    }
}

func retriedChild(child: Workflow<Int, Int>) {
    // refused: value of type 'Child<Int, Int>' has no member 'retry'
    _ = Child("c", child).retry(RetryPolicy.none)
}

func retriedSleep() {
    // refused: value of type 'Sleep' has no member 'retry'
    _ = Sleep("s", for: .seconds(1)).retry(RetryPolicy.none)
}

func sharedVariable() {
    var count = 0
    _ = Step("a") { (i: Int) in
        // refused: mutation of captured var 'count' in concurrently-executing code
        count += i
        return i
    }
}

func reasonWithTheValue(value: Int) {
    // refused: cannot convert value of type 'String' to expected argument type 'StaticString'
    _ = ValidationError("\(value) is too much" as String)
}
