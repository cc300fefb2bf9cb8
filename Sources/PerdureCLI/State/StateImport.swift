internal import PerdureState

/// Stores states that were written as lines of JSON.
struct StateImport {
    /// How many lines are read and stored together.
    private static let batchSize = 256

    let store: any StateStore
    private(set) var stored = 0
    private(set) var kept = 0
    private(set) var refused = 0

    init(into store: any StateStore) { self.store = store }

    mutating func run(_ lines: InputLines) async throws {
        var lines = lines
        let progress = ProgressLine()
        defer { progress.end() }
        var number = 0
        var batch: [(number: Int, state: DurableState)] = []
        var ids: Set<String> = []
        while let line = try await lines.next() {
            number += 1
            if line.isEmpty { continue }
            do {
                let state = try StateLine.parse(line)
                // Of one ID in two lines the second must find the first stored.
                if batch.count == Self.batchSize || !ids.insert(state.persistenceID).inserted {
                    try await self.take(batch, progress)
                    batch = []
                    ids = [state.persistenceID]
                    progress.show("line \(number): \(self.stored) stored")
                }
                batch.append((number, state))
            } catch let fault as StateLine.LineFault {
                self.refuse(number, fault.description, progress)
            }
        }
        try await self.take(batch, progress)
    }

    private mutating func take(_ batch: [(number: Int, state: DurableState)], _ progress: ProgressLine) async throws {
        try Task.checkCancellation()
        if batch.isEmpty { return }
        var writes: [StateWrite] = []
        var numbers: [Int] = []
        for (line, there) in zip(batch, await self.store.states(of: batch.map(\.state.persistenceID))) {
            switch there {
            case .success(let there?) where there.version >= line.state.version: self.kept += 1
            case .success(let there):
                writes.append(StateWrite(line.state, if: there.map { .version($0.version) } ?? .absent))
                numbers.append(line.number)
            case .failure(let error): try self.refuse(line.number, error, progress)
            }
        }
        if writes.isEmpty { return }
        for (number, result) in zip(numbers, await self.store.store(writes)) {
            switch result {
            case .success: self.stored += 1
            case .failure(let error): try self.refuse(number, error, progress)
            }
        }
    }

    /// What is no matter of this line ends the import.
    private mutating func refuse(_ number: Int, _ error: StoreError, _ progress: ProgressLine) throws {
        switch error.code {
        case .conflict, .invalidRequest, .payloadTooLarge: self.refuse(number, error.message, progress)
        default: throw error
        }
    }

    private mutating func refuse(_ number: Int, _ reason: String, _ progress: ProgressLine) {
        self.refused += 1
        progress.end()
        Output.note("perdure: line \(number): \(reason)".visible)
    }
}
