internal import CCurl

/// The header lines of one request after another, written into memory that is used again, as the list that libcurl wants.
final class HeaderLines {
    /// Where a line is written; ``end()`` ends it.
    let text = ByteBuffer(capacity: 2_048)
    private var starts: [Int] = []
    private var nodes: UnsafeMutablePointer<curl_slist>
    private var capacity = 16

    init() { self.nodes = .allocate(capacity: self.capacity) }
    deinit { self.nodes.deallocate() }

    /// Adds a whole line, such as `Accept: text/plain`.
    func append(_ line: String) {
        self.text.append(line)
        self.end()
    }

    /// Ends the line that was written to ``text``.
    func end() {
        self.text.append(UInt8(0))
        self.starts.append(self.text.count)
    }

    func removeAll() {
        self.text.removeAll()
        self.starts.removeAll(keepingCapacity: true)
    }

    /// The lines as libcurl's list, valid until lines are added or removed.
    var list: UnsafeMutablePointer<curl_slist>? {
        guard !self.starts.isEmpty else { return nil }
        if self.starts.count > self.capacity {
            self.nodes.deallocate()
            self.capacity = self.starts.count
            self.nodes = .allocate(capacity: self.capacity)
        }
        var start = 0
        for (index, end) in self.starts.enumerated() {
            let line = UnsafeMutableRawPointer(self.text.start + start).assumingMemoryBound(to: CChar.self)
            let next = index + 1 < self.starts.count ? self.nodes + index + 1 : nil
            (self.nodes + index).initialize(to: curl_slist(data: line, next: next))
            start = end
        }
        return self.nodes
    }

    /// The lines as text, for tests.
    var lines: [String] {
        var start = 0
        return self.starts.map { end in
            defer { start = end }
            return String(decoding: self.text.bytes[start..<end - 1], as: UTF8.self)
        }
    }
}
