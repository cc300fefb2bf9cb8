/// Credentials in the answers of the services that give them.
enum CredentialAnswers {
    /// The JSON of the container's and the machine's metadata.
    static func metadata(_ text: String, from place: String) throws(CredentialsFailure) -> AWSCredentials {
        let flaw = CredentialsFailure(isTransient: true, description: "\(place) answered with no credentials")
        let bytes = Array(text.utf8)
        let padded = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + JSONScratch.padding, alignment: 16)
        defer { padded.deallocate() }
        padded.copyBytes(from: bytes)
        do throws(AnswerFlaw) {
            return try JSONScratch().parse(UnsafeMutableRawBufferPointer(rebasing: padded[..<bytes.count])) {
                json throws(AnswerFlaw) in
                guard let key = json["AccessKeyId"]?.text, let secret = json["SecretAccessKey"]?.text else {
                    throw AnswerFlaw("no key")
                }
                return AWSCredentials(
                    accessKeyID: key, secretAccessKey: secret, sessionToken: json["Token"]?.text,
                    expiration: json["Expiration"]?.text.flatMap { Self.time($0) })
            }
        } catch {
            throw flaw
        }
    }

    /// The XML of the security token service.
    static func tokenService(_ text: String) throws(CredentialsFailure) -> AWSCredentials {
        guard let key = Self.element("AccessKeyId", in: text), let secret = Self.element("SecretAccessKey", in: text),
            let token = Self.element("SessionToken", in: text)
        else {
            throw CredentialsFailure(
                isTransient: true, description: "the security token service answered with no credentials")
        }
        return AWSCredentials(
            accessKeyID: key, secretAccessKey: secret, sessionToken: token,
            expiration: Self.element("Expiration", in: text).flatMap { Self.time($0) })
    }

    /// The text of the first element of a name. The answers have neither attributes nor entities where it matters.
    static func element(_ name: String, in text: String) -> String? {
        let (opening, closing) = ("<\(name)>", "</\(name)>")
        guard let start = Self.range(of: opening, in: text[...])?.upperBound,
            let end = Self.range(of: closing, in: text[start...])?.lowerBound
        else { return nil }
        return String(text[start..<end])
    }

    private static func range(of pattern: String, in text: Substring) -> Range<String.Index>? {
        let (bytes, wanted) = (text.utf8, Array(pattern.utf8))
        var start = bytes.startIndex
        while start < bytes.endIndex {
            if bytes[start] == wanted[0], bytes[start...].starts(with: wanted) {
                return start..<bytes.index(start, offsetBy: wanted.count)
            }
            start = bytes.index(after: start)
        }
        return nil
    }

    /// `2024-01-31T12:34:56Z`, with or without a fraction, in Unix milliseconds.
    static func time(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? { Int(String(decoding: bytes[range], as: UTF8.self)) }
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"), bytes[10] == UInt8(ascii: "T"),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let days = SigningTime.day(year: year, month: month, day: day)
        return (days * 86_400 + Int64(hour * 3_600 + minute * 60 + second)) * 1_000
    }
}
