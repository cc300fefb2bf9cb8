internal import PerdureConcurrency
internal import PerdureModel
internal import PerdureState

/// How fast a store is, from where the tool runs.
struct StoreBench {
    let store: any StateStore
    let count: Int
    let size: Int
    let concurrency: Int
    /// What every ID begins with; nobody else has it.
    private let prefix = "perdure-bench-\(String(UInt64.random(in: 0 ... .max), radix: 36))-"

    /// What one kind of operation came to.
    struct Figure: Sendable {
        let name: String
        let count: Int
        let took: Duration
        /// How long each took, in microseconds, the quickest first.
        let latencies: [Int64]

        var perSecond: Int { Int(Double(self.count) / max(1e-9, Milliseconds(self.took).seconds)) }

        func percentile(_ share: Double) -> Int64 {
            self.latencies.isEmpty ? 0 : self.latencies[Int(Double(self.latencies.count - 1) * share)]
        }
    }

    /// Measures, tells of each figure, and removes what it wrote, also when it is interrupted.
    func run(_ tell: (Figure) -> Void) async throws {
        let payload = StatePayload(manifest: "perdure.bench", bytes: Array(repeating: 0x78, count: self.size))
        try await self.store.connect()
        let store = self.store
        @Sendable func state(_ number: Int, version: UInt64) -> DurableState {
            DurableState(persistenceID: self.id(number), version: version, payload: payload)
        }
        do {
            tell(try await self.measure("create") { try await store.write(state($0, version: 1), if: .absent) })
            tell(try await self.measure("update") { try await store.write(state($0, version: 2), if: .version(1)) })
            tell(try await self.measure("read") { _ = try await store.latestState(of: self.id($0)) })
            tell(try await self.measure("delete") { try await store.delete(self.id($0), if: .version(2)) })
        } catch {
            // Not by this task: it may be cancelled.
            await Task.detached { await self.removeEverything() }.value
            throw error
        }
    }

    private func id(_ number: Int) -> String { "\(self.prefix)\(number)" }

    private func measure(_ name: String, _ body: @escaping @Sendable (Int) async throws -> Void) async throws -> Figure
    {
        let clock = SystemClock()
        let next = LockedState(0)
        let count = self.count
        let start = clock.now
        let latencies = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for _ in 0..<self.concurrency {
                group.addTask {
                    var latencies: [Int64] = []
                    while true {
                        try Task.checkCancellation()
                        let number = next.withLock { next -> Int in
                            defer { next += 1 }
                            return next
                        }
                        if number >= count { return latencies }
                        let start = clock.now
                        try await body(number)
                        latencies.append(Milliseconds(clock.now - start).microseconds)
                    }
                }
            }
            return try await group.reduce(into: [Int64]()) { $0 += $1 }
        }
        return Figure(name: name, count: count, took: clock.now - start, latencies: latencies.sorted())
    }

    private func removeEverything() async {
        for number in 0..<self.count { try? await self.store.delete(self.id(number), if: .always) }
    }

    static let command = Command(
        "store bench", "Measures how fast the store is from here",
        discussion: """
            Creates states under IDs of its own, updates, reads and deletes them, several at a time, and says how many operations a second
            there were and how long single ones took.
            """,
        options: [
            .init("count", letter: "n", value: "N", "how many states; 1000 unless set"),
            .init("size", value: "BYTES", "how large each is; 256 unless set"),
            .init("concurrency", letter: "c", value: "N", "how many operations at a time; 16 unless set"),
        ],
        examples: [.init("perdure store bench --count 10000 --concurrency 64", "with many operations at a time")]
    ) { call in
        let count = Int(try call.number("count", in: 1...10_000_000) ?? 1_000)
        let size = Int(try call.number("size", in: 0...1 << 20) ?? 256)
        let concurrency = Int(try call.number("concurrency", in: 1...4_096) ?? 16)
        var table = TextTable("OPERATION", "A SECOND", "MEDIAN", "99 %", "LONGEST")
        try await call.withStore { store in
            let bench = StoreBench(store: store, count: count, size: size, concurrency: concurrency)
            try await bench.run { figure in
                let times = [0.5, 0.99, 1].map { figure.percentile($0) }
                if call.output.isJSON {
                    call.output.json([
                        ("operation", .string(figure.name)), ("count", .number(figure.count)),
                        ("perSecond", .number(figure.perSecond)), ("medianMicroseconds", .number(times[0])),
                        ("p99Microseconds", .number(times[1])), ("longestMicroseconds", .number(times[2])),
                    ])
                    call.output.flush()
                } else {
                    let words = times.map { Milliseconds(.microseconds($0)).text }
                    table.add(figure.name, "\(figure.perSecond)", words[0], words[1], words[2])
                }
            }
        }
        if !call.output.isJSON { for line in table.lines { call.output.line(line) } }
        return .done
    }
}

extension Milliseconds {
    fileprivate var seconds: Double { Double(self.microseconds) / 1_000_000 }
}
