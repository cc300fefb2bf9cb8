internal import PerdureConcurrency
internal import PerdureModel
internal import PerdureWorkflow
internal import Waiting

extension EngineCase {
    /// What people do with runs, from a process that does not drive them.
    static let operations: [EngineCase] = [
        EngineCase("cancelling tells the handler, and keeps what has ended") { world in
            let door = Door()
            let workflow = Workflow("long") {
                Step("first") { (number: Int) in number }
                Step("second") { (number: Int) in
                    await door.passOrGiveUp()
                    return number
                }
            }
            _ = try await world.worker { workflow }
            let client = try world.client { workflow }
            let run = try await client.start(workflow, 1, id: "r")
            try await eventually("second") { door.arrivals == 1 }
            try expect(try await client.cancel("r", reason: "no more"), "it had not ended")
            try await expect(.cancelled) { try await run.value }
            let statuses = try await client.describe("r")?.steps.map(\.status)
            try expect(statuses == [.completed, .cancelled], "\(statuses ?? [])")
            try expect(try await !client.cancel("r"), "it had ended")
            door.open()
            try expect(try await client.retry("r"), "it had been cancelled")
            let value = try await run.value
            try expect(value == 1, "\(value)")
        },
        EngineCase("pausing holds a run still until it is resumed, whatever happens to it meanwhile") { world in
            let second = LockedState(0)
            let workflow = Workflow("pauses") {
                WaitForSignal("go", Int.self) { (number: Int, signal: Int) in number + signal }
                Step("second") { (number: Int) in
                    second.withLock { $0 += 1 }
                    return number
                }
            }
            let worker = try await world.worker { workflow }
            let client = try world.client { workflow }
            let run = try await client.start(workflow, 1, id: "r")
            try await eventually("waits") {
                try await client.describe("r")?.steps.first?.status == .waiting && worker.activeRunCount == 0
            }
            try expect(try await client.pause("r"), "it was running")
            try expect(try await !client.pause("r"), "it was paused")
            try await client.signal("r", "go", 41)
            // Long enough for whoever would take it.
            let other = try await client.start(workflow, 1, id: "other")
            try await client.signal("other", "go", 1)
            let value = try await other.value
            let status = try await run.status()
            try expect(value == 2 && status == .paused && second.withLock { $0 } == 1, "\(status)")
            try expect(try await client.resume("r"), "it was paused")
            let resumed = try await run.value
            try expect(resumed == 42, "\(resumed)")
            try expect(try await !client.resume("r"), "it has ended")
        },
        EngineCase("signals are taken once each, in the order of their coming, before the wait and after") { world in
            let workflow = Workflow("signals") {
                WaitForSignal("one", String.self, signal: "go") { (text: String, signal: String) in text + signal }
                WaitForSignal("two", String.self, signal: "go") { (text: String, signal: String) in text + signal }
                WaitForSignal("three", String.self, signal: "never", timeout: .milliseconds(5)) {
                    (text: String, signal: String?) in text + (signal ?? "-")
                }
            }
            let client = try world.client { workflow }
            let early = try await client.start(workflow, ">", id: "early")
            for (id, text) in [("1", "a"), ("1", "a"), ("2", "b")] {
                _ = try await client.signal("early", "go", text, id: id)
            }
            let verdict = try await client.signal("early", "go", "b", id: "2")
            try expect(verdict == .duplicate, "\(verdict)")
            let worker = try await world.worker { workflow }
            let value = try await early.value
            try expect(value == ">ab-", value)
            let late = try await worker.start(workflow, ">", id: "late")
            try await eventually("released") { worker.activeRunCount == 0 }
            try await client.signal("late", "go", "x")
            try await client.signal("late", "go", "y")
            let lateValue = try await late.value
            try expect(lateValue == ">xy-", lateValue)
            try await expect(.notFound) { try await client.signal("nobody", "go", 1) }
        },
        EngineCase("a failed run is tried again from the step that failed; a fork takes over what came before") {
            world in
            let firsts = LockedState(0)
            let workflow = Workflow("flaky", configuration: .init(retry: .none)) {
                Step("first") { (number: Int) in
                    firsts.withLock { $0 += 1 }
                    return number + 1
                }
                Step("second") { (number: Int, context: StepContext) in
                    if context.attempt < 2, context.runID == "r" { throw Broken(description: "on purpose") }
                    return number * 10
                }
            }
            _ = try await world.worker { workflow }
            let client = try world.client { workflow }
            let run = try await client.start(workflow, 1, id: "r")
            try await expect(.executionFailed) { try await run.value }
            try expect(try await client.retry("r"), "it had failed")
            let value = try await run.value
            try expect(value == 20 && firsts.withLock { $0 } == 1, "\(value)")
            try await client.fork("r", from: "second", edit: .input(7), id: "edited")
            let edited = try await client.run(workflow, "edited").value
            try expect(edited == 70 && firsts.withLock { $0 } == 1, "\(edited)")
        },
        EngineCase("listing, counting and deleting, with the runs that a run has started") { world in
            let child = Workflow("child") { Step("work") { (number: Int) in number * 2 } }
            let parent = Workflow("parent") { Child("child", child) }
            _ = try await world.worker { parent }
            let client = try world.client { parent }
            for number in 0..<6 {
                let options = StartOptions(resourceID: number % 2 == 0 ? "even" : "odd", tags: ["n": "\(number)"])
                let value = try await client.start(parent, number, id: "r\(number)", options: options).value
                try expect(value == 2 * number, "\(value)")
            }
            var filter = RunFilter()
            filter.workflow = "parent"
            filter.resourceID = "even"
            let count = try await client.countRuns(where: filter)
            try expect(count == 3, "\(count)")
            var tagged = RunFilter()
            tagged.tag = .init("n", "4")
            let found = try await client.runs(where: tagged).runs.map(\.id)
            try expect(found == ["r4"], "\(found)")
            try await client.delete("r4")
            let (gone, orphan) = (try await client.describe("r4"), try await client.describe("r4/child"))
            try expect(gone == nil && orphan == nil, "something is left")
            let all = try await client.countRuns()
            try expect(all == 10, "\(all)")
        },
    ]
}
