import Peers

/// A request or an answer as it passed over a connection.
struct PeerMessage {
    /// What its first line says.
    var line: String
    /// In the order in which they came, names in lower case.
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    /// All of it, as it came.
    var bytes: [UInt8]
}

/// Reads one message after the other from a blocking connection.
struct PeerStream {
    let descriptor: CInt
    private var buffer: [UInt8] = []

    init(_ descriptor: CInt) { self.descriptor = descriptor }

    /// The next message; nil where the other side has ended before all of it was there.
    mutating func next() -> PeerMessage? {
        guard let headEnd = self.fill(until: { $0.place(of: Self.headEnd) }) else { return nil }
        var (lines, start) = ([String](), 0)
        while start < headEnd, let end = self.buffer.place(of: Self.lineEnd, from: start) {
            lines.append(String(decoding: self.buffer[start..<end], as: UTF8.self))
            start = end + Self.lineEnd.count
        }
        let headers = lines.dropFirst().map(Self.header)
        let bodyStart = headEnd + Self.headEnd.count
        let end =
            if headers.contains(where: { $0.name == "transfer-encoding" && $0.value == "chunked" }) {
                self.fill { $0.place(of: Self.lastChunk, from: headEnd).map { $0 + Self.lastChunk.count } }
            } else {
                self.fill {
                    let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
                    return $0.count >= bodyStart + length ? bodyStart + length : nil
                }
            }
        guard let end else { return nil }
        let message = PeerMessage(
            line: lines.first ?? "", headers: headers, body: Array(self.buffer[bodyStart..<end]),
            bytes: Array(self.buffer[..<end]))
        self.buffer.removeFirst(end)
        return message
    }

    /// What `find` finds, as soon as enough has come.
    private mutating func fill(until find: ([UInt8]) -> Int?) -> Int? {
        while true {
            if let found = find(self.buffer) { return found }
            let chunk = Sockets.receive(from: self.descriptor)
            if chunk.isEmpty { return nil }
            self.buffer += chunk
        }
    }

    private static let lineEnd = Array("\r\n".utf8)
    private static let headEnd = Array("\r\n\r\n".utf8)
    private static let lastChunk = Array("\r\n0\r\n\r\n".utf8)

    private static func header(_ line: String) -> (name: String, value: String) {
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { return (line.lowercased(), "") }
        return (line[..<colon].lowercased(), String(line[line.index(after: colon)...].drop { $0 == " " }))
    }
}
