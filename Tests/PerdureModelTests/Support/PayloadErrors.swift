import PerdureModel
import Testing

/// The payload error that `body` throws; a test fails where it throws none, or another.
func payloadError(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Any
) -> PayloadError? {
    do {
        let value = try body()
        Issue.record("nothing was thrown; the value is \(value)", sourceLocation: sourceLocation)
    } catch let error as PayloadError {
        return error
    } catch {
        Issue.record("another error was thrown: \(error)", sourceLocation: sourceLocation)
    }
    return nil
}

/// Bytes from hexadecimal digits; blanks are skipped.
func bytes(hex: String) -> [UInt8] {
    let digits = hex.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// Bytes from base64.
func bytes(base64: String) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var result: [UInt8] = []
    var bits = 0
    var count = 0
    for character in base64.utf8 {
        guard let value = alphabet.firstIndex(of: character) else { break }
        bits = (bits << 6 | value) & 0xffff
        count += 6
        if count >= 8 {
            count -= 8
            result.append(UInt8(truncatingIfNeeded: bits >> count))
        }
    }
    return result
}
