internal import Glibc

/// A persistence ID as a dictionary key, compared by bytes.
///
/// `String` compares by canonical equivalence, which would make one key of two IDs that every database tells apart.
package struct IDKey: Hashable, Comparable, Sendable {
    package let id: String

    package init(_ id: String) { self.id = id }

    package static func == (left: IDKey, right: IDKey) -> Bool { compare(left.id, right.id) == 0 }

    package static func < (left: IDKey, right: IDKey) -> Bool { compare(left.id, right.id) < 0 }

    package func hash(into hasher: inout Hasher) {
        var id = self.id
        id.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Negative, zero or positive, as `left` comes before, equals or comes after `right` in byte order.
    private static func compare(_ left: String, _ right: String) -> Int {
        var left = left
        var right = right
        return left.withUTF8 { left in
            right.withUTF8 { right in
                let (leftCount, rightCount) = (left.count, right.count)
                // Empty strings have no address.
                if let left = left.baseAddress, let right = right.baseAddress {
                    let order = memcmp(left, right, min(leftCount, rightCount))
                    if order != 0 { return Int(order) }
                }
                return leftCount - rightCount
            }
        }
    }
}
