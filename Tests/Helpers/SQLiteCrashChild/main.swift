import CFaultPoints
import CrashWorkload
import Glibc
import PerdureSQLite

// A process that writes to a store and is killed, or sees its disk fail, at a chosen call of SQLite's.
//
//   sqlite-crash-child crash  DATABASE POINT MODE
//   sqlite-crash-child fault  DATABASE POINT MODE LENGTH
//   sqlite-crash-child count  DATABASE ID TIMES         (adds 1 to the number stored under ID, over and over)
//
//   sqlite-crash-child full   DATABASE - BYTES          (no file may grow beyond BYTES for a while)
//   sqlite-crash-child readonly DATABASE - 0            (as a user without rights)
//
//   sqlite-crash-child run    DATABASE POINT MODE ANIMAL LEDGER WORKER    (a run of the zoo's; also before or after a write of the
//                                                                          store's, as MODE 11 or 12)
//
// Standard output gets a line for each acknowledged operation, unbuffered; the last line is "done CALLS".

func report(_ line: String) { faultpoints_report(STDOUT_FILENO, line + "\n") }

func perform(_ operation: CrashScript.Operation, _ id: String, on store: SQLiteStore) async throws(StoreError) {
    switch operation {
    case .write(let state, let condition): try await store.write(state, if: condition)
    case .delete(let condition): try await store.delete(id, if: condition)
    }
}

/// Carries out some operations of a script, each until it has happened.
func run(_ script: CrashScript, _ numbers: ClosedRange<Int>, on store: SQLiteStore) async {
    for number in numbers {
        var failures = 0
        while true {
            do throws(StoreError) {
                try await perform(script.operation(number), script.id, on: store)
                report("\(script.id) \(number)")
                break
            } catch {
                failures += 1
                report("failed \(script.id) \(number) \(error.code) \(error.outcome)")
                if error.code == .conflict, failures == 1 {
                    report(
                        "violation: \(script.id) \(number): conflict without another writer: \(error.debugDescription)")
                }
                guard failures < 20 else {
                    report("violation: \(script.id) \(number) never succeeds: \(error.debugDescription)")
                    exit(1)
                }
                if await hasHappened(number, of: script, after: error, on: store) { break }
            }
        }
    }
}

/// Reads what a failed operation has left; says so if that is not what the error claims.
func hasHappened(
    _ number: Int, of script: CrashScript, after error: StoreError, on store: SQLiteStore
) async -> Bool {
    for _ in 0..<20 {
        guard let state = try? await store.latestState(of: script.id) as DurableState?? else { continue }
        func isThere(_ content: CrashScript.Content) -> Bool {
            if case .alive(let expected) = content { expected == state } else { state == nil }
        }
        let isBefore = isThere(script.content(after: number - 1))
        let isAfter = isThere(script.content(after: number))
        if !isBefore, !isAfter || error.outcome == .notApplied {
            report("violation: \(script.id) \(number) was \(error.outcome), but the state is another one")
        }
        return isAfter
    }
    report("violation: \(script.id) cannot be read any more")
    return false
}

func runAll(_ path: String) async throws {
    var configuration = SQLiteStore.Configuration()
    configuration.checkpointPageCount = 12
    configuration.readerCount = 1
    let store = try SQLiteStore(path, configuration: configuration)
    // One by one, then together, so that both lone commits and merged ones are met.
    for script in CrashScript.all.prefix(2) { await run(script, 1...2, on: store) }
    await withTaskGroup(of: Void.self) { group in
        for (index, script) in CrashScript.all.enumerated() {
            group.addTask { await run(script, (index < 2 ? 3 : 1)...5, on: store) }
        }
    }
    await store.disconnect()
    // Once more: what a file that exists sees.
    for _ in 0..<20 where (try? await store.connect()) == nil {}
    await withTaskGroup(of: Void.self) { group in
        for script in CrashScript.all {
            group.addTask { await run(script, 6...script.operationCount, on: store) }
        }
    }
    await store.disconnect()
}

/// Adds 1 to a number under `id`, `times` times, in competition with others.
func count(_ path: String, _ id: String, _ times: Int) async throws {
    let store = try SQLiteStore(path)
    for _ in 0..<times {
        while true {
            let before = try await store.latestState(of: id)
            let number = before.flatMap { Int(String(decoding: $0.payload.bytes, as: UTF8.self)) } ?? 0
            let after = DurableState(
                persistenceID: id, version: (before?.version ?? 0) + 1,
                payload: StatePayload(manifest: "number", bytes: Array("\(number + 1)".utf8)))
            do throws(StoreError) {
                try await store.write(after, if: before.map { .version($0.version) } ?? .absent)
                report("\(id) \(number + 1)")
                break
            } catch {
                guard error.code == .conflict else { throw error }
            }
        }
    }
    await store.disconnect()
}

/// Writes what fits and what does not, first with a limit on the size of files and then without.
func fill(_ path: String, _ limit: UInt) async throws {
    signal(SIGXFSZ, SIG_IGN)
    let store = try SQLiteStore(path)
    try await store.connect()
    func write(_ name: String, _ id: String, _ count: Int) async {
        let payload = StatePayload(manifest: "m", bytes: [UInt8](repeating: 1, count: count))
        do throws(StoreError) {
            try await store.write(DurableState(persistenceID: id, version: 1, payload: payload), if: .absent)
            report("\(name): done")
        } catch {
            report("\(name): \(error.outcome)")
        }
    }
    var limits = rlimit(rlim_cur: limit, rlim_max: rlim_t.max)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits)
    await write("big", "big", Int(limit) * 2)
    await write("small", "small", 100)
    limits.rlim_cur = rlim_t.max
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits)
    await write("big again", "big", Int(limit) * 2)
    await store.disconnect()
}

/// Tries to write as a user who may not.
func writeWithoutRights(_ path: String) async throws {
    if geteuid() == 0, setgid(65_534) != 0 || setuid(65_534) != 0 { return report("violation: cannot change the user") }
    let store = try SQLiteStore(path)
    do throws(StoreError) {
        let payload = StatePayload(manifest: "m", bytes: [1])
        try await store.write(DurableState(persistenceID: "x", version: 1, payload: payload), if: .absent)
        report("written")
    } catch {
        report("\(error.code) \(error.outcome)")
        report(error.debugDescription)
    }
    await store.disconnect()
}

let arguments = CommandLine.arguments
guard arguments.count >= 5, let number = Int(arguments[4]) else {
    report("usage: crash|fault DATABASE POINT MODE [LENGTH], or count DATABASE ID TIMES")
    exit(2)
}
let path = arguments[2]
do {
    switch arguments[1] {
    case "crash", "fault":
        let length = arguments.count > 5 ? Int(arguments[5]) ?? 1 : 1
        faultpoints_arm(path, Int(arguments[3]) ?? 0, faultpoints_mode(rawValue: UInt32(number)), length)
        try await runAll(path)
        report("done \(faultpoints_count())")
    case "run" where arguments.count == 8:
        try await keepRun(
            of: arguments[5], in: path, ledger: arguments[6], as: arguments[7], point: Int(arguments[3]) ?? 0,
            mode: number)
    case "full":
        try await fill(path, UInt(number))
        report("done 0")
    case "readonly":
        try await writeWithoutRights(path)
        report("done 0")
    default:
        try await count(path, arguments[3], number)
        report("done 0")
    }
} catch {
    report("violation: \(String(reflecting: error))")
    exit(1)
}
