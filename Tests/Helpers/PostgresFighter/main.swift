import Fight
import Glibc
import PerdurePostgres

// A process that fights over some IDs with others of its kind.
//
//   postgres-fighter URL SCHEMA FIGHTER TASKS STEPS SEED
//
// It says "ready" once it is connected, waits for a line on standard input, fights, and then says what it was told, a line an operation
// as in FightLine; the last line is "done".

func say(_ line: String) {
    var line = line + "\n"
    line.withUTF8 { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while !rest.isEmpty {
            let count = write(STDOUT_FILENO, rest.baseAddress, rest.count)
            guard count > 0 else { exit(3) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 7, let fighter = Int(arguments[3]), let tasks = Int(arguments[4]),
    let steps = Int(arguments[5]),
    let seed = UInt64(arguments[6])
else {
    say("usage: postgres-fighter URL SCHEMA FIGHTER TASKS STEPS SEED")
    exit(2)
}
do {
    var configuration = try PostgresConfiguration(url: arguments[1])
    configuration.schema = arguments[2]
    configuration.connectTimeout = .seconds(60)
    configuration.writeTimeout = .seconds(60)
    configuration.readTimeout = .seconds(60)
    let store = try PostgresStore(configuration)
    try await store.connect()
    say("ready")
    guard readLine() != nil else { exit(4) }
    let histories = await Fight.run(on: store, fighter: fighter, tasks: tasks, steps: steps, seed: seed)
    for (id, history) in zip(Fight.ids, histories) {
        for operation in history.operations { say(FightLine.text(of: operation, on: id)) }
    }
    await store.disconnect()
    say("done")
} catch {
    say("failed: \(String(reflecting: error))")
    exit(1)
}
