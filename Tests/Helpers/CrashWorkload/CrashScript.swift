package import PerdureState

/// What a child process does with one ID: known to the child that does it, and to the test that checks what is left of it.
///
/// Operations are numbered from 1, and each leaves its number as the version.
package struct CrashScript: Sendable {
    package let id: String
    package let operationCount: Int
    private let padding: Int

    /// The scripts of all IDs: small states, and some that fill several pages.
    package static let all: [CrashScript] = (0..<5).map { index in
        CrashScript(id: "entity/\(index)", operationCount: 7, padding: index % 3 == 0 ? 5_000 : 100)
    }

    package enum Operation: Sendable {
        case write(DurableState, WriteCondition)
        case delete(WriteCondition)
    }

    /// What the ID holds after an operation.
    package enum Content: Hashable, Sendable {
        case nothing
        case alive(DurableState)
        case deleted(version: UInt64)
    }

    package func operation(_ number: Int) -> Operation {
        let before = UInt64(number) - 1
        if self.deletes(number) { return .delete(.version(before)) }
        let isAbsent = number == 1 || self.deletes(number - 1)
        return .write(self.state(number), isAbsent ? .absent : .version(before))
    }

    /// What is there once `number` operations have happened.
    package func content(after number: Int) -> Content {
        if number == 0 { return .nothing }
        return self.deletes(number) ? .deleted(version: UInt64(number)) : .alive(self.state(number))
    }

    private func deletes(_ number: Int) -> Bool { number % 4 == 0 }

    /// A state whose every byte follows from its ID and version, so that half of one shows.
    private func state(_ number: Int) -> DurableState {
        let bytes = (0..<self.padding).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number &* 7) }
        return DurableState(
            persistenceID: self.id, version: UInt64(number),
            payload: StatePayload(manifest: "v\(number)", bytes: bytes), timestamp: Int64(number),
            shard: UInt64(number))
    }
}
