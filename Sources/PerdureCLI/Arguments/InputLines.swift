/// Goes through the lines of a file, a piece at a time.
struct InputLines {
    private let file: InputFile
    private var waiting: [UInt8] = []
    /// Where in what waits the next line begins.
    private var start = 0
    private var isAtEnd = false

    init(of file: InputFile) { self.file = file }

    /// The next line, without what ends it; nil after the last.
    ///
    /// - Throws: As ``InputFile/next()``.
    mutating func next() async throws -> [UInt8]? {
        var searched = self.start
        while true {
            if let end = self.waiting[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { self.start = end + 1 }
                return Array(self.waiting[self.start..<end])
            }
            if self.isAtEnd {
                defer { self.start = self.waiting.count }
                return self.start < self.waiting.count ? Array(self.waiting[self.start...]) : nil
            }
            self.waiting.removeFirst(self.start)
            self.start = 0
            searched = self.waiting.count
            let piece = try await self.file.next()
            self.isAtEnd = piece.isEmpty
            self.waiting += piece
        }
    }
}
