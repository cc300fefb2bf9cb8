internal import Synchronization

/// The unique name of one write, kept in its item: by it a write whose answer was lost is known again.
struct WriteID: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    var bytes: [UInt8] {
        withUnsafeBytes(of: (self.high.bigEndian, self.low.bigEndian)) { Array($0) }
    }

    /// 32 hexadecimal digits, as the token of a transaction and in the keys of chunks.
    var text: String {
        func digits(_ number: UInt64) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return digits(self.high) + digits(self.low)
    }
}

/// Makes write IDs: a random start, then counting up, so that no two processes meet and none asks for randomness per write.
final class WriteIDGenerator: Sendable {
    private let high = UInt64.random(in: .min ... .max)
    private let low = Atomic<UInt64>(UInt64.random(in: .min ... .max))

    func next() -> WriteID { WriteID(high: self.high, low: self.low.wrappingAdd(1, ordering: .relaxed).newValue) }
}
