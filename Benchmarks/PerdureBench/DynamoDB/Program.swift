import Glibc

/// The Go program beside the benchmarks: the server with fixed answers, and aws-sdk-go-v2.
///
/// `script/bench` builds it.
enum Program {
    private static func path() throws -> String {
        guard let path = getenv("PERDURE_BENCH_DYNAMODB_PROGRAM") else {
            throw BenchmarkFailure(
                "PERDURE_BENCH_DYNAMODB_PROGRAM is not set; script/bench builds the program and sets it")
        }
        return String(cString: path)
    }

    /// What came of a measurement.
    struct Cost: Sendable {
        /// Of the client's process, per operation.
        var cpuMicroseconds: Double
        var operationsPerSecond: Double
        /// The median of an operation's time.
        var microseconds: Double
    }

    /// Lets aws-sdk-go-v2 do `count` operations, `flight` at a time.
    static func sdk(
        _ operation: DynamoDBBenchmarks.Operation, _ place: DynamoDBBenchmarks.Place, flight: Int, count: Int
    ) throws -> Cost {
        let figures = try Command.figures(
            3,
            of:
                "'\(try self.path())' sdk \(operation) \(place.endpoint) \(place.region) \(place.table) \(flight) \(count)"
        )
        return Cost(cpuMicroseconds: figures[0], operationsPerSecond: figures[1], microseconds: figures[2])
    }

    /// The port of the server with fixed answers, which is started the first time and ends with this process.
    static func fixedServerPort() throws -> Int { try self.server.get() }

    private static let server = Result { try startServer() }

    private static func startServer() throws -> Int {
        // Its standard input is ours: it ends when the other end of this pipe is closed, by our end at the latest.
        var ends: [CInt] = [0, 0]
        var answers: [CInt] = [0, 0]
        guard pipe(&ends) == 0, pipe(&answers) == 0 else { throw BenchmarkFailure("there are no pipes left") }
        for end in [ends[1], answers[0]] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, answers[1], STDOUT_FILENO)
        var child = pid_t()
        let path = try self.path()
        let arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path), strdup("serve"), nil]
        defer { for argument in arguments { free(argument) } }
        let status = posix_spawn(&child, path, &actions, nil, arguments, environ)
        close(ends[0])
        close(answers[1])
        guard status == 0 else { throw BenchmarkFailure("cannot run \(path)") }
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(answers[0], &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        guard let port = Int(String(decoding: line, as: UTF8.self)) else {
            throw BenchmarkFailure("the server with fixed answers did not start")
        }
        return port
    }
}
