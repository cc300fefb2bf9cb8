/// The parameters of a statement in the server's binary format, one after the other in one buffer that is used again.
struct ParameterBuffer {
    private(set) var bytes: [UInt8] = []
    /// Where each parameter lies in ``bytes``.
    private(set) var ranges: [Range<Int>] = []

    mutating func removeAll() {
        self.bytes.removeAll(keepingCapacity: true)
        self.ranges.removeAll(keepingCapacity: true)
    }

    // MARK: Single values

    mutating func append(_ text: String) {
        let start = self.bytes.count
        self.bytes.append(contentsOf: text.utf8)
        self.ranges.append(start..<self.bytes.count)
    }

    mutating func append(_ integer: Int64) {
        let start = self.bytes.count
        self.put(integer)
        self.ranges.append(start..<self.bytes.count)
    }

    mutating func append(_ id: WriteID) {
        let start = self.bytes.count
        self.put(id.high)
        self.put(id.low)
        self.ranges.append(start..<self.bytes.count)
    }

    // MARK: Arrays

    /// An element type of arrays, by the number that the server knows it under.
    enum Element: UInt32 {
        case bytea = 17
        case bigint = 20
        case text = 25
        case double = 701
        case uuid = 2950
    }

    /// What a statement's form for so many rows takes: one value of `items`, or an array of them all.
    mutating func append<Item>(
        _ element: Element, ofRows items: [Item], _ encode: (Item, inout ParameterBuffer) -> Void
    ) {
        guard items.count == 1 else { return self.append(arrayOf: element, items, encode) }
        // An element begins with its length, which of a parameter is told apart.
        let start = self.bytes.count + 4
        encode(items[0], &self)
        self.ranges.append(start..<self.bytes.count)
    }

    /// One array parameter, an element of `items` after the other.
    mutating func append<Item>(
        arrayOf element: Element, _ items: [Item], _ encode: (Item, inout ParameterBuffer) -> Void
    ) {
        let start = self.bytes.count
        self.put(Int32(items.isEmpty ? 0 : 1))  // dimensions
        self.put(Int32(0))  // whether there are nulls; the server looks for itself
        self.put(Int32(bitPattern: element.rawValue))
        if !items.isEmpty {
            self.put(Int32(items.count))
            self.put(Int32(1))  // the first index
            for item in items { encode(item, &self) }
        }
        self.ranges.append(start..<self.bytes.count)
    }

    mutating func element(_ text: String) {
        var text = text
        text.withUTF8 { text in
            self.put(Int32(text.count))
            self.bytes.append(contentsOf: text)
        }
    }

    mutating func element(_ bytes: [UInt8]) {
        self.put(Int32(bytes.count))
        self.bytes.append(contentsOf: bytes)
    }

    mutating func element(_ integer: Int64) {
        self.put(Int32(8))
        self.put(integer)
    }

    mutating func element(_ id: WriteID) {
        self.put(Int32(16))
        self.put(id.high)
        self.put(id.low)
    }

    mutating func element(_ number: Double) {
        self.put(Int32(8))
        self.put(number.bitPattern)
    }

    /// NULL.
    mutating func noElement() { self.put(Int32(-1)) }

    mutating func element(_ text: String?) {
        if let text { self.element(text) } else { self.noElement() }
    }

    mutating func element(_ bytes: [UInt8]?) {
        if let bytes { self.element(bytes) } else { self.noElement() }
    }

    mutating func element(_ integer: Int64?) {
        if let integer { self.element(integer) } else { self.noElement() }
    }

    private mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { self.bytes.append(contentsOf: $0) }
    }
}
