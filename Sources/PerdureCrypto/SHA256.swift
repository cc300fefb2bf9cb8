internal import COpenSSL

/// SHA-256 over bytes that come in pieces.
package struct SHA256 {
    /// How many bytes a digest has.
    package static let byteCount = 32

    fileprivate var context = SHA256_CTX()

    package init() { cossl_sha256_init(&self.context) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        cossl_sha256_update(&self.context, bytes.baseAddress, bytes.count)
    }

    /// Ends the hash and puts its ``byteCount`` bytes at `digest`.
    package consuming func finish(into digest: UnsafeMutablePointer<UInt8>) {
        cossl_sha256_final(&self.context, digest)
    }

    /// Puts the hash of `bytes` at `digest`.
    package static func hash(_ bytes: UnsafeRawBufferPointer, into digest: UnsafeMutablePointer<UInt8>) {
        var hash = SHA256()
        hash.update(bytes)
        hash.finish(into: digest)
    }

    /// The hash of `bytes`.
    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.byteCount) { digest, count in
            if let start = digest.baseAddress { bytes.withUnsafeBytes { Self.hash($0, into: start) } }
            count = Self.byteCount
        }
    }
}

/// A key of HMAC-SHA-256 whose share of the work is done: authenticating costs only the text's own blocks and one more.
package struct HMACKey: Sendable {
    private let inner: SHA256_CTX
    private let outer: SHA256_CTX

    package init(_ key: [UInt8]) {
        var block = key.count > 64 ? SHA256.hash(key) : key
        block.append(contentsOf: repeatElement(0, count: 64 - block.count))
        self.inner = Self.start(block, 0x36)
        self.outer = Self.start(block, 0x5c)
        // The optimizer keeps writes to memory that somebody else may still see: this is best effort.
        for index in block.indices { block[index] = 0 }
    }

    private static func start(_ block: [UInt8], _ mask: UInt8) -> SHA256_CTX {
        var context = SHA256_CTX()
        cossl_sha256_init(&context)
        block.map { $0 ^ mask }.withUnsafeBytes { cossl_sha256_update(&context, $0.baseAddress, $0.count) }
        return context
    }

    /// Puts the code of `text` at `code`, ``SHA256/byteCount`` bytes.
    package func authenticate(_ text: UnsafeRawBufferPointer, into code: UnsafeMutablePointer<UInt8>) {
        var context = self.inner
        cossl_sha256_update(&context, text.baseAddress, text.count)
        cossl_sha256_final(&context, code)
        context = self.outer
        cossl_sha256_update(&context, code, SHA256.byteCount)
        cossl_sha256_final(&context, code)
    }

    /// The code of `text`.
    package func authenticate(_ text: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { code, count in
            if let start = code.baseAddress { text.withUnsafeBytes { self.authenticate($0, into: start) } }
            count = SHA256.byteCount
        }
    }
}
