import Glibc

let usage = """
    Measures what Documentation/performance.md tells.

    script/bench [NAME…] [--json] [--rounds N]

      NAME        run only these, or those that begin so; all unless given
      --json      one JSON object a line on standard output; progress on standard error
      --rounds N  rounds of each, alternating with what it is held against; 5 unless given
      --list      only print the names
    """

// The compiler drops assertions, and with them this assignment, from a release build.
var isDebugBuild = false
assert(
    {
        isDebugBuild = true
        return true
    }())
if isDebugBuild {
    say("bench: a debug build measures nothing of use; run script/bench, which builds in release mode")
    exit(2)
}

if CommandLine.arguments.dropFirst().first == SecondProcess.option {
    // Not on the main actor, like the measurements below.
    let work = Task.detached { try await SecondProcess.work(CommandLine.arguments.dropFirst(2)) }
    try await work.value
}

var names: [String] = []
var isJSON = false
var rounds = 5
let all =
    MemoryBenchmarks.all + SQLiteBenchmarks.all + RunBenchmarks.all + PostgresBenchmarks.all + DynamoDBBenchmarks.all
    + CassandraBenchmarks.all + ProtocolBenchmarks.all + ToolBenchmarks.all

var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
    switch argument {
    case "--help", "-h":
        print(usage)
        exit(0)
    case "--list":
        for benchmark in all { print(benchmark.name) }
        exit(0)
    case "--json":
        isJSON = true
    case "--rounds":
        guard let number = arguments.popFirst().flatMap({ Int($0) }), (1...1_000).contains(number) else {
            say("bench: --rounds takes a number from 1 to 1000")
            exit(2)
        }
        rounds = number
    case let name where name.hasPrefix("-"):
        say("bench: unknown option '\(name)'; see script/bench --help")
        exit(2)
    case let name:
        guard all.contains(where: { $0.name.hasPrefix(name) }) else {
            say("bench: there is no benchmark '\(name)'; script/bench --list prints the names")
            exit(2)
        }
        names.append(name)
    }
}

// An exact name means that one; a beginning means all that begin so.
let selected = all.filter { benchmark in
    names.isEmpty || names.contains(benchmark.name)
        || names.contains { name in !all.contains { $0.name == name } && benchmark.name.hasPrefix(name) }
}

// Work driven from the main actor would pay for a thread's wake-up at each step.
let (chosen, json, count) = (selected, isJSON, rounds)
let work = Task.detached {
    if !json { print(Report.header) }
    for benchmark in chosen {
        say("bench: \(benchmark.name) …")
        var values: [Double] = []
        var baselines: [Double] = []
        // The first round warms up and does not count.
        for round in 0...count {
            let value = try await benchmark.measure()
            let baseline = try await benchmark.measureBaseline?()
            if round > 0 {
                values.append(value)
                if let baseline { baselines.append(baseline) }
            }
        }
        let figure = Figure(benchmark, values: values, baselines: baselines)
        print(json ? try Report.json(figure) : Report.line(figure))
        fflush(nil)
    }
}
do {
    try await work.value
} catch {
    say("bench: failed: \(String(reflecting: error))")
    exit(1)
}
