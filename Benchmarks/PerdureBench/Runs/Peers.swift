import Glibc

/// Other libraries, as programs that print one figure.
enum Peers {
    /// The same server, as SQLAlchemy and the client that DBOS brings along want it.
    static func dbosURL(ofPostgres url: String) -> String { "postgresql+psycopg:" + url.drop { $0 != ":" }.dropFirst() }

    /// Five-step runs per second of DBOS for Python; `script/bench` installs it.
    static func dbos(url: String, starters: Int, seconds: Int) throws -> Double {
        guard let python = getenv("PERDURE_BENCH_DBOS_PYTHON").map({ String(cString: $0) }) else {
            throw BenchmarkFailure("PERDURE_BENCH_DBOS_PYTHON is not set; script/bench installs DBOS and sets it")
        }
        let output = try Command.output(
            of: "'\(python)' Benchmarks/Peers/dbos_runs.py '\(url)' \(starters) \(seconds)")
        guard let line = output.split(separator: "\n").last, let rate = Double(line) else {
            throw BenchmarkFailure("DBOS said: \(output)")
        }
        return rate
    }
}
