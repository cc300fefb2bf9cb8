internal import PerdureCrypto

/// Signs requests with AWS Signature Version 4.
///
/// Keeps the key of the day and its own memory, so that a signature costs its hashing and little more. Used by one thread.
final class RequestSigner {
    /// What stays the same from one request to the next.
    struct Scope: Equatable {
        let region: String
        let service: String
    }

    private let scope: Scope
    private let text = ByteBuffer(capacity: 2_048)
    private let digest = UnsafeMutablePointer<UInt8>.allocate(capacity: SHA256.byteCount)
    private var key: (identity: SigningIdentity, day: Int64, key: HMACKey)?
    private var lastTime = SigningTime(second: 0)

    init(_ scope: Scope) { self.scope = scope }
    deinit { self.digest.deallocate() }

    /// The time of a signature, written out; made anew once a second.
    func time(unixMilliseconds: Int64) -> SigningTime {
        if self.lastTime.second != unixMilliseconds / 1_000 {
            self.lastTime = SigningTime(unixMilliseconds: unixMilliseconds)
        }
        return self.lastTime
    }

    /// Writes the value of the `Authorization` header for a request into `target`.
    ///
    /// `names` are those of the signed headers in lower case, sorted, with `;` between them; `canonical` writes the canonical request
    /// up to its headers, each with a line end.
    func sign(
        into target: ByteBuffer, identity: SigningIdentity, time: SigningTime, names: StaticString,
        body: UnsafeRawBufferPointer, canonical: (ByteBuffer) -> Void
    ) {
        self.text.removeAll()
        canonical(self.text)
        self.text.append(UInt8(ascii: "\n"))
        self.text.append(names)
        self.text.append(UInt8(ascii: "\n"))
        self.appendHash(of: body)
        self.finish(into: target, identity: identity, time: time) { $0.append(names) }
    }

    /// Writes the value of the `Authorization` header for any request; `headers` are sorted by their names in lower case.
    func sign(
        into target: ByteBuffer, identity: SigningIdentity, time: SigningTime, method: String, path: String,
        query: String, headers: [(name: String, value: String)], body: UnsafeRawBufferPointer
    ) {
        self.text.removeAll()
        self.text.append("\(method)\n\(path)\n\(query)\n")
        for header in headers { self.text.append("\(header.name):\(header.value)\n") }
        let names = headers.map(\.name).joined(separator: ";")
        self.text.append("\n\(names)\n")
        self.appendHash(of: body)
        self.finish(into: target, identity: identity, time: time) { $0.append(names) }
    }

    private func appendHash(of body: UnsafeRawBufferPointer) {
        SHA256.hash(body, into: self.digest)
        self.text.append(hex: UnsafeRawBufferPointer(start: self.digest, count: SHA256.byteCount))
    }

    /// Hashes the canonical request in `text`, signs that, and writes the header's value.
    private func finish(
        into target: ByteBuffer, identity: SigningIdentity, time: SigningTime, names: (ByteBuffer) -> Void
    ) {
        SHA256.hash(self.text.bytes, into: self.digest)
        self.text.removeAll()
        self.text.append("AWS4-HMAC-SHA256\n")
        time.withBytes { self.text.append($0) }
        self.text.append(UInt8(ascii: "\n"))
        self.appendScope(to: self.text, time)
        self.text.append(UInt8(ascii: "\n"))
        let digest = UnsafeRawBufferPointer(start: self.digest, count: SHA256.byteCount)
        self.text.append(hex: digest)
        self.key(of: identity, time).authenticate(self.text.bytes, into: self.digest)

        target.append("AWS4-HMAC-SHA256 Credential=")
        target.append(identity.credentials.accessKeyID)
        target.append(UInt8(ascii: "/"))
        self.appendScope(to: target, time)
        target.append(", SignedHeaders=")
        names(target)
        target.append(", Signature=")
        target.append(hex: digest)
    }

    private func appendScope(to target: ByteBuffer, _ time: SigningTime) {
        time.withBytes { target.append(UnsafeRawBufferPointer(rebasing: $0[..<8])) }
        target.append(UInt8(ascii: "/"))
        target.append(self.scope.region)
        target.append(UInt8(ascii: "/"))
        target.append(self.scope.service)
        target.append("/aws4_request")
    }

    /// The signing key is derived from the secret once a day.
    private func key(of identity: SigningIdentity, _ time: SigningTime) -> HMACKey {
        if let key = self.key, key.day == time.day, key.identity === identity { return key.key }
        let date = time.withBytes { Array($0[..<8]) }
        var secret = HMACKey(Array("AWS4\(identity.credentials.secretAccessKey)".utf8))
        for part in [date, Array(self.scope.region.utf8), Array(self.scope.service.utf8), Array("aws4_request".utf8)] {
            secret = HMACKey(secret.authenticate(part))
        }
        self.key = (identity, time.day, secret)
        return secret
    }
}
