// Thousands of devices, each an entity, of which only a few are in memory at a time. See README.md.
import Glibc
import PerdureSQLite

@main
enum Devices {
    static let rounds = 4
    static let lanes = 64

    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let file = arguments.first, let count = Int(arguments.dropFirst().first ?? "5000"), count > 0 else {
            print("usage: Devices FILE [DEVICES]")
            exit(2)
        }
        let store = try SQLiteStore(file)
        var configuration = StateEngine.Configuration()
        configuration.maximumLiveEntities = 256
        configuration.idleTimeBeforePassivation = .seconds(10)
        let engine = StateEngine(store: store, configuration: configuration) { Device() }

        // Whoever watches sees a change once it is on disk, each device's in order, and holds nobody up: where the buffer is full the
        // oldest changes are lost, and counted.
        let changes = engine.changes(of: Device.self, buffer: self.rounds * count)
        let watching = Task {
            var alarms = 0, missed = 0
            for await change in changes {
                missed += change.missed
                if change.state?.isHot == true { alarms += 1 }
            }
            return (alarms: alarms, missed: missed)
        }
        let running = Task { try await engine.run() }

        let tally = try await self.listen(to: count, engine)
        running.cancel()
        try await running.value
        // The engine has stopped: the sequence of changes has ended too.
        let seen = await watching.value
        print("\(tally.stored) readings of \(count) devices stored, \(tally.known) were known already")
        print("at most \(tally.inMemory) devices in memory at once")
        print("\(seen.alarms) times a device was too hot; \(seen.missed) changes missed")

        // Another engine knows nothing but what is stored.
        let later = StateEngine(store: store) { Device() }
        for number in [0, count / 2, count - 1] {
            let device = try await later.entity(Device.self, "device-\(number)").send(.look).state
            guard let last = device.last else { continue }
            print(
                "device-\(number): reading \(last.number) of \(device.count), \(last.celsius) °C now, "
                    + "\(device.highest) °C at most, battery \(last.battery) %")
        }
        try await later.stop()
        await store.disconnect()
    }

    /// What came of the readings.
    struct Tally: Sendable {
        var stored = 0
        var known = 0
        var inMemory = 0
    }

    /// Takes what the devices send, many of them at a time.
    private static func listen(to count: Int, _ engine: StateEngine) async throws -> Tally {
        try await withThrowingTaskGroup(of: Tally.self) { group in
            for lane in 0..<self.lanes {
                group.addTask {
                    var tally = Tally()
                    for round in 1...self.rounds {
                        for number in stride(from: lane, to: count, by: self.lanes) {
                            let device = engine.entity(Device.self, "device-\(number)")
                            let reading = self.reading(round, of: number)
                            // Networks repeat themselves: every tenth reading comes twice.
                            for _ in 0..<(number % 10 == 0 ? 2 : 1) {
                                switch try await device.send(.report(reading)).reply {
                                case .stored: tally.stored += 1
                                case .knownAlready: tally.known += 1
                                }
                            }
                            tally.inMemory = max(tally.inMemory, engine.liveEntityCount)
                        }
                    }
                    return tally
                }
            }
            return try await group.reduce(into: Tally()) { sum, tally in
                sum.stored += tally.stored
                sum.known += tally.known
                sum.inMemory = max(sum.inMemory, tally.inMemory)
            }
        }
    }

    /// What a device measures in a round; the same whenever it is asked for.
    private static func reading(_ round: Int, of number: Int) -> Reading {
        let warmth = (number * 37 + round * 101) % 640
        return Reading(number: round, celsius: 20 + Double(warmth) / 10, battery: 100 - round - number % 50)
    }
}
