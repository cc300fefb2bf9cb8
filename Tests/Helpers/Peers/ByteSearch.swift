internal import Glibc

extension [UInt8] {
    /// Whether the bytes of `text` are among these.
    package func contains(_ text: String) -> Bool { self.place(of: Array(text.utf8)) != nil }

    /// Whether `part` is among these bytes, in one piece.
    package func contains(_ part: [UInt8]) -> Bool { self.place(of: part) != nil }

    /// Where `part` begins for the first time at `start` or behind.
    ///
    /// Peers look at every byte that passes; a loop of our own is a hundred times as slow where nothing is optimized.
    package func place(of part: [UInt8], from start: Int = 0) -> Int? {
        self.withUnsafeBytes { all in
            guard !part.isEmpty, start <= all.count, let base = all.baseAddress else { return nil }
            return memmem(base + start, all.count - start, part, part.count).map { UnsafeRawPointer($0) - base }
        }
    }
}
