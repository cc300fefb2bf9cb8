import Glibc
import PerdureState

/// Seconds on the machine's monotonic clock.
func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Seconds of CPU that this process has used.
func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Where the tasks of a benchmark run, and what the store's thread does while nothing comes.
enum Calling: String, CaseIterable, Sendable {
    /// Where tasks run anyway; the thread sleeps.
    case elsewhere = ""
    /// On the store's thread, which sleeps.
    case onStore = "-executor"
    /// On the store's thread, which goes on looking.
    case onPollingStore = "-polling"

    /// The store's setting: longer than a lone request takes.
    var busyPolling: Duration { self == .onPollingStore ? .milliseconds(3) : .zero }

    func executor(of store: any StateTaskHosting) -> (any TaskExecutor)? {
        self == .elsewhere ? nil : store.taskExecutor
    }
}

/// Operations per second: `tasks` tasks do `count` of them altogether, told their own number and how many to do.
///
/// They run where tasks run, or on `executor`.
func rate(
    of count: Int, over tasks: Int, on executor: (any TaskExecutor)? = nil,
    _ work: @escaping @Sendable (_ task: Int, _ count: Int) async throws -> Void
) async throws -> Double {
    let share = count / tasks
    let start = seconds()
    try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<tasks { group.addTask(executorPreference: executor) { try await work(task, share) } }
        try await group.waitForAll()
    }
    return Double(share * tasks) / (seconds() - start)
}

extension [Double] {
    /// What is in the middle, or half way between the two that are.
    var median: Double {
        let sorted = self.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

/// A folder that is gone when the body has ended.
func withTemporaryFolder<Result>(_ body: (_ path: String) async throws -> Result) async throws -> Result {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
    var template = Array((parent + "/perdure-bench-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchmarkFailure("cannot make a folder in \(parent)") }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { _ = remove(path) }
    defer {
        for name in ["bench.sqlite", "bench.sqlite-wal", "bench.sqlite-shm"] { _ = remove(path + "/" + name) }
    }
    return try await body(path)
}

/// A benchmark could not be run.
struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Writes a line to standard error: figures alone go to standard output.
func say(_ text: String) {
    var line = text + "\n"
    line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
