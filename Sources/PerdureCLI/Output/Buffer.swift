internal import PerdureConcurrency

/// Text that gathers until it is worth writing.
final class Buffer: Sendable {
    private let gathered = LockedState<[UInt8]>([])

    /// Adds text; true when there is enough to be written.
    func append(_ text: String) -> Bool {
        self.gathered.withLock { gathered in
            gathered += text.utf8
            return gathered.count >= 32_768
        }
    }

    func drain() -> [UInt8] {
        self.gathered.withLock { gathered in
            defer { gathered = [] }
            return gathered
        }
    }
}
