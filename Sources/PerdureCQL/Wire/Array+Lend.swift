extension Array where Element == UInt8 {
    /// Lends the bytes from `start` on; like `withUnsafeBytes`, with a typed error.
    @inlinable @inline(__always)
    func lend<Result, Failure: Error>(
        from start: Int = 0, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The standard library's own rethrows `any Error` in 6.0.
        try self.withUnsafeBytes { bytes -> Swift.Result<Result, Failure> in
            do throws(Failure) {
                return .success(try body(UnsafeRawBufferPointer(rebasing: bytes[Swift.min(start, bytes.count)...])))
            } catch {
                return .failure(error)
            }
        }.get()
    }
}
