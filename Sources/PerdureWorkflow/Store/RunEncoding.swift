package import PerdureModel

/// Encodes what a change brings along and adds the bytes up.
package struct RunEncoding {
    package private(set) var total = 0
    private let runID: String
    private let limit: Int

    package init(of runID: String, limit: Int) {
        self.runID = runID
        self.limit = limit
    }

    package mutating func bytes(_ value: RunValue) throws(StoreError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(PayloadError) {
            bytes = try value.bytes
        } catch {
            throw StoreError(
                .undecodable, operation: .write, persistenceID: self.runID,
                message: "a value cannot be written as JSON; nothing was sent", underlying: error)
        }
        guard bytes.count <= self.limit else {
            throw StoreError(
                .payloadTooLarge, operation: .write, persistenceID: self.runID,
                message: "a value has \(bytes.count) bytes, this store takes at most \(self.limit);"
                    + " make it smaller or keep it elsewhere")
        }
        self.total += bytes.count
        return bytes
    }

    package mutating func bytes(_ value: RunValue?) throws(StoreError) -> [UInt8]? {
        guard let value else { return nil }
        let bytes: [UInt8] = try self.bytes(value)
        return bytes
    }

    package mutating func json<Value: Codable & Sendable>(_ value: Value) throws(StoreError) -> [UInt8] {
        let bytes: [UInt8] = try self.bytes(RunValue(value))
        return bytes
    }

    /// The elements, of several with one key only the last.
    package static func last<Element, Key: Hashable>(of elements: [Element], by key: (Element) -> Key) -> [Element] {
        guard elements.count > 1 else { return elements }
        var seen: Set<Key> = []
        return elements.reversed().filter { seen.insert(key($0)).inserted }.reversed()
    }
}
