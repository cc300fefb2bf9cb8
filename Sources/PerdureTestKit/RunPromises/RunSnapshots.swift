extension RunPromise {
    /// Promise 1: every field comes back as it was stored.
    static let snapshots: [RunPromise] = [
        requests, statuses, progresses, steps, stepStatuses, contents, messageKinds, sizes,
    ].flatMap { $0 }

    private static let requests: [RunPromise] = [
        request("an input that is no text") { $0.input = RunValue(bytes: Array(0...255)) },
        request("an empty input") { $0.input = RunValue(bytes: []) },
        request("the context") { $0.context = RunValue(bytes: [0, 1, 255]) },
        request("the version") { $0.version = "2.0-β 'x'" },
        request("an empty version") { $0.version = "" },
        request("the resource") { $0.resourceID = "customer/7 'é'" },
        request("tags of many letters") { $0.tags = ["a": "1", "Ünïcode 🦆": "日本", "": "empty", "quote'\"": "\\%_"] },
        request("the priority, also below zero") { $0.priority = -2_000_000_000 },
        request("limits") {
            $0.workflowLimit = 1
            $0.resourceLimit = 1_000_000
        },
        request("the trigger") {
            $0.trigger = RunTrigger(
                type: "event", source: "s\u{1}\"", timestamp: -1, metadata: ["k": "v", "é": "e\u{301}"])
        },
        request("the parent") { $0.parent = RunParent(runID: "p/#1", step: "wait[3]") },
        request("the run that it was forked from") { $0.forkedFrom = "other" },
        request("times long ago and far ahead") { $0.createdAt = -62_135_596_800_000 },
    ]

    private static func request(_ what: String, _ change: @escaping @Sendable (inout RunRequest) -> Void) -> RunPromise
    {
        RunPromise(1, "keeps of a request \(what)") { trial in
            var request = trial.request()
            change(&request)
            let record = try await trial.create(request, trial.progress())
            let expected = RunSnapshot(run: record, steps: [], state: [], messages: [])
            try await trial.expect(request.id, is: expected)
            let alone = try await trial.run(request.id).differences(from: record)
            try trial.expect(alone.isEmpty, "the same without what the run owns", found: "\(alone)")
            // What never changes is not changed by what does.
            var commit = trial.change(record) { $0.progress = 0.5 }
            commit.steps = [trial.step("a")]
            _ = try await trial.store.commit(commit)
            try await trial.expect(
                request.id,
                is: RunSnapshot(
                    run: RunRecord(request: request, progress: commit.progress), steps: commit.steps, state: [],
                    messages: []))
        }
    }

    private static let statuses: [RunPromise] = RunStatus.allCases.map { status in
        progress("the status \(status.rawValue)") { $0.status = status }
    }

    private static let progresses: [RunPromise] = [
        progress("the share that is done") { $0.progress = 1.0 / 3 },
        progress("a hash of 64 bits") { $0.definitionHash = .max - 1 },
        progress("the output") {
            $0.status = .completed
            $0.output = RunValue(bytes: Array("{\"a\":\"é\"}".utf8))
        },
        progress("a failure with all that it can say") {
            $0.status = .failed
            $0.failure = RunFailure(
                .executionFailed, message: "no \"luck\"\nat\0all", type: "Module.Error", step: "a[1]", attempt: 3)
        },
        progress("a failure that says little") {
            $0.status = .failed
            $0.failure = RunFailure(.timeout, message: "")
        },
        progress("what a person must decide") {
            $0.status = .parked
            $0.parkedReason = "was it sent? 🦆 'maybe'"
        },
        progress("all times") {
            $0.status = .completed
            $0.startedAt = 0
            $0.completedAt = -5
            $0.updatedAt = 4_102_444_800_000
            $0.expiresAt = 4_102_444_800_001
        },
        progress("that nothing wakes it") { $0.wake = .never },
        progress("when it wakes") { $0.wake = .at(4_102_444_800_000) },
        progress("that it wakes at the beginning of time") { $0.wake = .at(0) },
        progress("the owner, and when it would wake without one") {
            $0.status = .running
            $0.owner = "worker #1 'é'"
            $0.wake = .at(9)
        },
        progress("fence, adoptions and what was seen") {
            $0.fence = 1 << 53
            $0.adoptions = 77
            $0.inboxSeen = 1 << 40
        },
    ]

    private static func progress(
        _ what: String, _ change: @escaping @Sendable (inout RunProgress) -> Void
    ) -> RunPromise {
        RunPromise(1, "keeps of the progress \(what)") { trial in
            let request = trial.request("a")
            var progress = trial.progress()
            change(&progress)
            try await trial.create(request, progress)
            try await trial.expect(
                request.id,
                is: RunSnapshot(
                    run: RunRecord(request: request, progress: progress), steps: [], state: [], messages: []))

            let before = try await trial.create(trial.request("b"), trial.progress(.running, owner: "x"))
            let commit = trial.change(before) {
                change(&$0)
                if $0.status != .running { $0.owner = nil }
            }
            _ = try await trial.store.commit(commit)
            try await trial.expect(
                before.id,
                is: RunSnapshot(
                    run: RunRecord(request: before.request, progress: commit.progress), steps: [], state: [],
                    messages: []))
            // And back: nothing is left of it.
            let back = trial.change(RunRecord(request: before.request, progress: commit.progress)) {
                let (revision, fence) = ($0.revision, $0.fence)
                $0 = trial.progress(.running, owner: "x")
                $0.revision = revision
                $0.fence = fence
            }
            _ = try await trial.store.commit(back)
            try await trial.expect(
                before.id,
                is: RunSnapshot(
                    run: RunRecord(request: before.request, progress: back.progress), steps: [], state: [], messages: []
                ))
        }
    }

    private static let steps: [RunPromise] = [
        step("the output") { $0.output = RunValue(bytes: Array(0...255)) },
        step("an empty output") { $0.output = RunValue(bytes: []) },
        step("that there is no output") { $0.output = nil },
        step("an edited input") { $0.input = RunValue(bytes: [7]) },
        step("the failure") { $0.failure = RunFailure(.validation, message: "é", step: "s", attempt: 1) },
        step("attempts and times") {
            $0.attempt = 35
            $0.startedAt = 0
            $0.completedAt = 1
            $0.wakesAt = 4_102_444_800_000
        },
        step("a hash of 64 bits") { $0.definitionHash = .max },
        step("the element's number") {
            $0.id = "rebook[3]"
            $0.item = 3
        },
        step("a name with anything in it") { $0.id = "#'\"%_\\ é e\u{301} 🦆" },
    ]

    private static let stepStatuses: [RunPromise] = StepStatus.allCases.map { status in
        step("the status \(status.rawValue)") { $0.status = status }
    }

    private static func step(_ what: String, _ change: @escaping @Sendable (inout StepRecord) -> Void) -> RunPromise {
        RunPromise(1, "keeps of a step \(what)") { trial in
            var step = trial.step("s")
            change(&step)
            let record = try await trial.create(trial.request("a"), trial.progress(), steps: [step])
            try await trial.expect(
                record.id, is: RunSnapshot(run: record, steps: [step], state: [], messages: []))
            let other = try await trial.ready("b")
            var commit = trial.change(other)
            commit.steps = [step]
            _ = try await trial.store.commit(commit)
            let changed = RunRecord(request: other.request, progress: commit.progress)
            try await trial.expect(other.id, is: RunSnapshot(run: changed, steps: [step], state: [], messages: []))
            // A step is replaced as a whole.
            var plain = StepRecord(id: step.id, position: 9, definitionHash: 1)
            plain.attempt = 1
            var next = trial.change(changed)
            next.steps = [plain]
            _ = try await trial.store.commit(next)
            try await trial.expect(
                other.id,
                is: RunSnapshot(
                    run: RunRecord(request: other.request, progress: next.progress), steps: [plain], state: [],
                    messages: []))
        }
    }

    private static let contents: [RunPromise] = [
        RunPromise(1, "lists steps by position and element") { trial in
            let steps = [(2, nil), (0, nil), (1, 10), (1, 2), (1, nil), (1, 0)].map { (position: Int, item: Int?) in
                StepRecord(
                    id: "s\(position)\(item.map { "[\($0)]" } ?? "")", position: position, item: item,
                    definitionHash: 0)
            }
            let record = try await trial.create(trial.request(), trial.progress(), steps: steps)
            let found = try await trial.snapshot(record.id).steps.map(\.id)
            try trial.expect(found == ["s0", "s1", "s1[0]", "s1[2]", "s1[10]", "s2"], "that order", found: "\(found)")
        },
        RunPromise(1, "tells steps apart by their bytes") { trial in
            let steps = ["caf\u{e9}", "cafe\u{301}", "a", "A", "a "].enumerated().map {
                trial.step($1, $0, output: "\($0)")
            }
            let record = try await trial.create(trial.request(), trial.progress(), steps: steps)
            try await trial.expect(record.id, is: RunSnapshot(run: record, steps: steps, state: [], messages: []))
        },
        RunPromise(1, "keeps shared state for each key and step, also removals") { trial in
            let state = [
                StateRecord(key: "k", step: "a", value: trial.value("1")), StateRecord(key: "k", step: "b", value: nil),
                StateRecord(key: "K", step: "a", value: RunValue(bytes: [])),
                StateRecord(key: "e\u{301}", step: "a", value: trial.value("2")),
                StateRecord(key: "\u{e9}", step: "a", value: trial.value("3")),
            ]
            let record = try await trial.create(trial.request(), trial.progress(), state: Array(state.prefix(2)))
            var commit = trial.change(record)
            commit.state = Array(state.dropFirst(1))
            _ = try await trial.store.commit(commit)
            try await trial.expect(
                record.id,
                is: RunSnapshot(
                    run: RunRecord(request: record.request, progress: commit.progress), steps: [], state: state,
                    messages: []))
        },
        RunPromise(1, "replaces shared state of the same key and step") { trial in
            let record = try await trial.create(
                trial.request(), trial.progress(), state: [StateRecord(key: "k", step: "a", value: trial.value("1"))])
            var commit = trial.change(record)
            commit.state = [StateRecord(key: "k", step: "a", value: trial.value("2"))]
            _ = try await trial.store.commit(commit)
            try await trial.expect(
                record.id,
                is: RunSnapshot(
                    run: RunRecord(request: record.request, progress: commit.progress), steps: [], state: commit.state,
                    messages: []))
        },
        RunPromise(1, "removes steps with what they put into the shared state, and nothing else") { trial in
            let steps = ["a", "b", "c"].enumerated().map { trial.step($1, $0) }
            let state = ["a", "b", "c"].map { StateRecord(key: "k", step: $0, value: trial.value($0)) }
            let record = try await trial.create(trial.request(), trial.progress(), steps: steps, state: state)
            var commit = trial.change(record)
            commit.removedSteps = ["b", "c", "never there"]
            commit.steps = [trial.step("c", 2, output: "again")]
            _ = try await trial.store.commit(commit)
            try await trial.expect(
                record.id,
                is: RunSnapshot(
                    run: RunRecord(request: record.request, progress: commit.progress),
                    steps: [steps[0], commit.steps[0]], state: [state[0]], messages: []))
        },
        RunPromise(1, "keeps a thousand elements of a loop") { trial in
            var record = try await trial.ready()
            var all: [StepRecord] = []
            for batch in 0..<10 {
                var commit = trial.change(record)
                commit.steps = (0..<100).map { place in
                    var step = trial.step("loop[\(batch * 100 + place)]", 1, output: "\(batch) \(place)")
                    step.item = batch * 100 + place
                    return step
                }
                all += commit.steps
                _ = try await trial.store.commit(commit)
                record.progress = commit.progress
            }
            try await trial.expect(record.id, is: RunSnapshot(run: record, steps: all, state: [], messages: []))
        },
    ]

    private static let kinds: [(what: String, kind: RunMessage.Kind)] = [
        ("a signal", RunMessage.Kind.signal("go 'é' 🦆")),
        ("the end of a child", .childEnded(runID: "child/1", .completed, nil)),
        (
            "the failure of a child",
            .childEnded(
                runID: "c", .failed, RunFailure(.executionFailed, message: "m", type: "T", step: "s", attempt: 2))
        ),
        ("a wish to cancel", .cancel(reason: "no \"more\"\n")),
        ("a wish to pause", .pause),
    ]

    private static let messageKinds: [RunPromise] = kinds.map { (what: String, kind: RunMessage.Kind) in
        RunPromise(1, "keeps of messages \(what)") { trial in
            var record = try await trial.ready()
            let messages = [nil, RunValue(bytes: []), RunValue(bytes: Array(0...255))].enumerated().map {
                RunMessage(id: "m\($0)", kind: kind, payload: $1, postedAt: Int64($0) - 1)
            }
            for message in messages { _ = try await trial.store.post(message, to: record.id) }
            record.inboxCount = 3
            let numbered = messages.enumerated().map {
                var message = $1
                message.number = UInt64($0 + 1)
                return message
            }
            try await trial.expect(record.id, is: RunSnapshot(run: record, steps: [], state: [], messages: numbered))
        }
    }

    private static let sizes: [RunPromise] = [1, 1_000, 4_000, 100_000, 1 << 20, 6 << 20].map { size in
        RunPromise(1, "keeps values of \(size) bytes") { trial in
            guard size <= trial.settings.largestPayload else { throw trial.untested("larger than the settings allow") }
            let value = RunValue(bytes: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
            var request = trial.request()
            request.input = value
            var step = trial.step("s")
            step.output = value
            let state = [StateRecord(key: "k", step: "s", value: value)]
            let record = try await trial.create(request, trial.progress(), steps: [step], state: state)
            try await trial.expect(record.id, is: RunSnapshot(run: record, steps: [step], state: state, messages: []))
        }
    }
}
