extension [UInt8] {
    /// Whether the bytes of `text` are among these.
    package func contains(_ text: String) -> Bool { self.place(of: Array(text.utf8)) != nil }

    /// Whether `part` is among these bytes, in one piece.
    package func contains(_ part: [UInt8]) -> Bool { self.place(of: part) != nil }

    /// Where `part` begins for the first time.
    package func place(of part: [UInt8]) -> Int? {
        guard let first = part.first, self.count >= part.count else { return nil }
        return (0...(self.count - part.count)).first { start in
            self[start] == first && self[start..<(start + part.count)].elementsEqual(part)
        }
    }
}
