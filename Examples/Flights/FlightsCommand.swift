import Glibc
import PerdureState
import PerdureWorkflow

/// The program of the demo; `script/demo` builds it, kills it half way and checks what it says.
@main
enum FlightsCommand {
    static func main() async {
        // Not on the main thread, from which every step onto the pool and back takes long.
        exit(await Task.detached { await Self.run(Array(CommandLine.arguments.dropFirst())) }.value)
    }

    /// Does what the command line asks for; returns the exit code.
    static func run(_ arguments: [String]) async -> CInt {
        do {
            let arguments = try Arguments(arguments)
            if arguments.wantsHelp { print(Arguments.help) } else { try await Self.fly(arguments) }
            return 0
        } catch let error as UsageError {
            Self.complain("\(error)")
            return 2
        } catch let error as FileError {
            Self.complain("\(error)")
            return 1
        } catch {
            Self.complain(String(reflecting: error))
            return 1
        }
    }

    private static func fly(_ arguments: Arguments) async throws {
        let chosen = try await openStore(arguments.store)
        let store = chosen.states
        // A file without its columns is refused before anything is opened.
        _ = try FlightReader(path: arguments.flights)
        let survey = try FileSurvey(path: arguments.flights)
        let fleet = Fleet(fingerprint: survey.fingerprint)
        let tally = Tally(expecting: survey.rowCount)
        let display = ProgressDisplay(of: tally)
        try await store.connect()
        do {
            let care = try Self.careService(for: arguments, on: chosen.runs, fleet, display)
            let (numbers, careReport) = try await Self.withCare(care) {
                let numbers = try await Self.withEngine(on: store) { engine in
                    let run = FlightRun(
                        path: arguments.flights, engine: engine, fleet: fleet, tally: tally, care: care,
                        laneCount: chosen.url.kind.laneCount,
                        waitsToBeKilled: arguments.waitsToBeKilled, say: { display.say($0) })
                    let showing = Task { await display.run() }
                    do {
                        let numbers = try await run.fly()
                        showing.cancel()
                        await showing.value
                        return numbers
                    } catch {
                        showing.cancel()
                        await showing.value
                        throw error
                    }
                }
                tally.land()
                if care != nil { display.say("waiting until all passengers are looked after") }
                return (numbers, try await care?.finish())
            }
            // Another engine, which has nothing in memory: what it says comes from the store.
            var report = try await Self.withEngine(on: store) { engine in
                try await FlightReport(of: fleet, numbers, in: engine, tally)
            }
            report.care = careReport
            if report.countedBefore > 0 {
                display.say("\(report.countedBefore.grouped) rows were in the logbooks already")
            }
            if arguments.showsTable { print("\n\(BusiestTable(logbooks: report.logbooks))\n") }
            if let path = arguments.result { try report.write(to: path) }
        } catch {
            await chosen.disconnect()
            throw error
        }
        await chosen.disconnect()
    }

    /// Who looks after passengers, where that was asked for and the store keeps runs.
    private static func careService(
        for arguments: Arguments, on runs: (any RunStore)?, _ fleet: Fleet, _ display: ProgressDisplay
    ) throws -> CareService? {
        guard let path = arguments.ledger else { return nil }
        guard let runs else {
            display.say("this store does not keep workflow runs: nobody looks after the passengers")
            return nil
        }
        return try CareService(on: runs, fleet: fleet, desk: CareDesk(ledger: CareLedger(path: path)))
    }

    /// Looks after passengers while `body` runs.
    private static func withCare<Result: Sendable>(
        _ care: CareService?, _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        guard let care else { return try await body() }
        let running = Task { try await care.run() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        running.cancel()
        try await running.value
        return try result.get()
    }

    /// Runs an engine while `body` uses it, and stops it in order.
    private static func withEngine<Result: Sendable>(
        on store: any StateStore, _ body: @Sendable (StateEngine) async throws -> Result
    ) async throws -> Result {
        let engine = StateEngine(store: store) {
            Aircraft()
            Tower()
        }
        let running = Task { try await engine.run() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(engine)) } catch { result = .failure(error) }
        running.cancel()
        try await running.value
        return try result.get()
    }

    private static func complain(_ text: String) {
        let bytes = Array("flights: \(text)\n".utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
