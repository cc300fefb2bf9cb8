internal import PerdureState

/// Copies the states of a store to another until both hold the same.
struct StateCopy {
    struct Result: Equatable {
        /// How many states the source has.
        var states = 0
        /// How many writes there were.
        var written = 0
        /// How many states the target would not take, or has in a newer version.
        var refused = 0
        /// Whether a pass over everything found no difference.
        var isVerified = false
    }

    /// States change while they are copied; after so many passes the copy gives up.
    private static let mostPasses = 5
    /// How many IDs are read and written together.
    private static let batchSize = 256

    private let source: any StateStore
    private let target: any StateStore
    private let prefix: String
    private var progress: ProgressLine

    init(from source: any StateStore, to target: any StateStore, prefix: String, output: Output) throws(Misuse) {
        _ = try StatePages(of: source, prefix: prefix)
        self.source = source
        self.target = target
        self.prefix = prefix
        self.progress = ProgressLine()
    }

    mutating func run() async throws -> Result {
        var result = Result()
        for pass in 1...Self.mostPasses {
            let (states, written, refused) = try await self.pass(pass)
            result.states = states
            result.written += written
            result.refused = refused
            if written == 0 {
                result.isVerified = refused == 0
                break
            }
        }
        self.progress.end()
        return result
    }

    /// Goes through all states once and writes those that the target lacks.
    private mutating func pass(_ number: Int) async throws -> (states: Int, written: Int, refused: Int) {
        var (states, written, refused) = (0, 0, 0)
        var pages = try StatePages(of: self.source, prefix: self.prefix)
        while let page = try await pages.next() {
            for start in stride(from: 0, to: page.count, by: Self.batchSize) {
                let ids = Array(page[start..<min(start + Self.batchSize, page.count)])
                let difference = try await self.difference(of: ids)
                states += difference.states
                refused += difference.newer
                for (write, result) in zip(difference.writes, await self.target.store(difference.writes)) {
                    switch result {
                    case .success: written += 1
                    case .failure(let error):
                        refused += 1
                        self.progress.end()
                        Output.note("perdure: \(write.state.persistenceID.debugDescription): \(error.message)")
                    }
                }
                self.progress.show("pass \(number): \(states) states, \(written) written")
            }
        }
        return (states, written, refused)
    }

    private mutating func difference(of ids: [String]) async throws -> (states: Int, newer: Int, writes: [StateWrite]) {
        let here = await self.source.states(of: ids)
        let there = await self.target.states(of: ids)
        var (states, newer) = (0, 0)
        var writes: [StateWrite] = []
        for (mine, theirs) in zip(here, there) {
            // Deleted since it was listed: nothing to copy.
            guard let mine = try mine.get() else { continue }
            states += 1
            guard let theirs = try theirs.get() else {
                writes.append(StateWrite(mine, if: .absent))
                continue
            }
            if theirs == mine { continue }
            if theirs.version < mine.version {
                writes.append(StateWrite(mine, if: .version(theirs.version)))
            } else {
                newer += 1
                self.progress.end()
                Output.note(
                    "perdure: \(mine.persistenceID.debugDescription): the target has version \(theirs.version), "
                        + (theirs.version == mine.version ? "with other contents" : "newer than \(mine.version)"))
            }
        }
        return (states, newer, writes)
    }
}
