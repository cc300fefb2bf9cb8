import Glibc

/// What a person at a terminal waits for before `perdure` says anything.
enum ToolBenchmarks {
    static let all: [Benchmark] = [
        Benchmark(
            "tool-start", unit: "ms",
            measure: {
                guard let program = getenv("PERDURE_BENCH_TOOL") else {
                    throw BenchmarkFailure("PERDURE_BENCH_TOOL is not set; run script/bench, which installs the tool")
                }
                return try Self.medianStart(of: String(cString: program), "--help")
            }, against: "a program of one line in C: /bin/true",
            baseline: { try Self.medianStart(of: "/bin/true", "--help") })
    ]

    /// Milliseconds from the start of a program to its end, what it prints thrown away: the median of a hundred.
    private static func medianStart(of program: String, _ argument: String) throws -> Double {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(program), strdup(argument), nil]
        defer { for argument in arguments { free(argument) } }
        var times: [Double] = []
        for _ in 0..<100 {
            let start = seconds()
            var (process, status) = (pid_t(), CInt())
            guard posix_spawn(&process, program, &actions, nil, &arguments, nil) == 0 else {
                throw BenchmarkFailure("cannot start \(program)")
            }
            guard waitpid(process, &status, 0) == process, status == 0 else {
                throw BenchmarkFailure("\(program) \(argument) ended with the wait status \(status)")
            }
            times.append((seconds() - start) * 1_000)
        }
        return times.median
    }
}
