internal import PerdureModel

/// Finds credentials where AWS's own tools would: the first place that has some.
///
/// In this order: environment variables; a web identity token; the profile of the shared files, roles included; the container's
/// metadata; the machine's. A profile that was named wins over all of them.
struct CredentialsChain: CredentialsSource {
    let environment: AWSEnvironment
    let fetcher: HTTPFetcher
    let region: String
    /// The profile that was asked for; nil for the environment's.
    let profile: String?
    /// What to use where nobody has any: an endpoint on this machine does not care.
    let fallback: AWSCredentials?

    func fetch() async throws(CredentialsFailure) -> AWSCredentials {
        if let profile = self.profile {
            let profiles = await SharedProfiles(self.environment)
            guard let found = try await self.credentials(ofProfile: profile, in: profiles, visited: []) else {
                throw CredentialsFailure(isTransient: false, description: "the profile \(profile) has no credentials")
            }
            return found
        }
        if let found = self.variables() { return found }
        if let file = self.environment.value("AWS_WEB_IDENTITY_TOKEN_FILE"),
            let role = self.environment.value("AWS_ROLE_ARN")
        {
            return try await self.assumeRole(
                role, session: self.environment.value("AWS_ROLE_SESSION_NAME"), tokenFile: file)
        }
        let profiles = await SharedProfiles(self.environment)
        if let found = try await self.credentials(
            ofProfile: self.environment.profileName, in: profiles, visited: [])
        {
            return found
        }
        if self.environment.value("AWS_PROFILE") != nil {
            throw CredentialsFailure(
                isTransient: false,
                description: "the profile \(self.environment.profileName) (AWS_PROFILE) has no credentials")
        }
        if let found = try await self.container() { return found }
        if let fallback = self.fallback { return fallback }
        return try await InstanceMetadata(environment: self.environment, fetcher: self.fetcher).credentials()
    }

    private func variables() -> AWSCredentials? {
        guard let key = self.environment.value("AWS_ACCESS_KEY_ID"),
            let secret = self.environment.value("AWS_SECRET_ACCESS_KEY")
        else { return nil }
        return AWSCredentials(
            accessKeyID: key, secretAccessKey: secret, sessionToken: self.environment.value("AWS_SESSION_TOKEN"))
    }

    // MARK: Profiles

    private func credentials(
        ofProfile name: String, in profiles: SharedProfiles, visited: [String]
    ) async throws(CredentialsFailure) -> AWSCredentials? {
        guard let profile = profiles.profiles[name] else { return nil }
        if let role = profile["role_arn"], !visited.contains(name) {
            if let file = profile["web_identity_token_file"] {
                return try await self.assumeRole(role, session: profile["role_session_name"], tokenFile: file)
            }
            let source: AWSCredentials?
            if let other = profile["source_profile"] {
                source =
                    other == name
                    ? Self.keys(profile)
                    : try await self.credentials(ofProfile: other, in: profiles, visited: visited + [name])
            } else {
                source =
                    switch profile["credential_source"] {
                    case "Environment": self.variables()
                    case "EcsContainer": try await self.container()
                    case "Ec2InstanceMetadata":
                        try await InstanceMetadata(environment: self.environment, fetcher: self.fetcher).credentials()
                    default: nil
                    }
            }
            guard let source else {
                throw CredentialsFailure(
                    isTransient: false,
                    description:
                        "the profile \(name) has a role_arn, but its source_profile or credential_source has no credentials"
                )
            }
            return try await self.assumeRole(role, profile, with: source)
        }
        if visited.contains(name), profile["role_arn"] != nil, Self.keys(profile) == nil {
            throw CredentialsFailure(isTransient: false, description: "the profile \(name) is its own source_profile")
        }
        if let keys = Self.keys(profile) { return keys }
        for key in ["credential_process", "sso_session", "sso_start_url"] where profile[key] != nil {
            throw CredentialsFailure(
                isTransient: false,
                description: "the profile \(name) uses \(key), which is not supported; export credentials instead")
        }
        return nil
    }

    private static func keys(_ profile: [String: String]) -> AWSCredentials? {
        guard let key = profile["aws_access_key_id"], let secret = profile["aws_secret_access_key"] else { return nil }
        return AWSCredentials(
            accessKeyID: key, secretAccessKey: secret, sessionToken: profile["aws_session_token"])
    }

    // MARK: Roles

    private var tokenServiceURL: String {
        let url =
            self.environment.value("AWS_ENDPOINT_URL_STS")
            ?? "https://sts.\(self.region).\(ServiceEndpoint.domain(of: self.region))"
        return url.hasSuffix("/") ? url : url + "/"
    }

    private func assumeRole(
        _ role: String, session: String?, tokenFile: String
    ) async throws(CredentialsFailure) -> AWSCredentials {
        guard let token = await self.environment.text(ofFile: tokenFile), !token.isEmpty else {
            throw CredentialsFailure(
                isTransient: false, description: "the web identity token file \(tokenFile) cannot be read")
        }
        let body = Self.form([
            ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", role),
            ("RoleSessionName", session ?? "perdure"),
            ("WebIdentityToken", String(token.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())),
        ])
        let answer = try await self.fetcher.fetch(.post, self.tokenServiceURL, body: body, timeout: .seconds(5)) {
            lines, _ in
            lines.append("Content-Type: application/x-www-form-urlencoded")
        }
        return try Self.credentials(answer, role)
    }

    private func assumeRole(
        _ role: String, _ profile: [String: String], with source: AWSCredentials
    ) async throws(CredentialsFailure) -> AWSCredentials {
        var fields = [
            ("Action", "AssumeRole"), ("Version", "2011-06-15"), ("RoleArn", role),
            ("RoleSessionName", profile["role_session_name"] ?? "perdure"),
        ]
        if let id = profile["external_id"] { fields.append(("ExternalId", id)) }
        if let seconds = profile["duration_seconds"] { fields.append(("DurationSeconds", seconds)) }
        let identity = SigningIdentity(source)
        let (url, region, clock) = (self.tokenServiceURL, self.region, self.fetcher.clock)
        let answer = try await self.fetcher.fetch(.post, url, body: Self.form(fields), timeout: .seconds(5)) {
            lines, body in
            let signer = RequestSigner(.init(region: region, service: "sts"))
            let time = signer.time(unixMilliseconds: clock.unixMilliseconds)
            let stamp = time.withBytes { String(decoding: $0, as: UTF8.self) }
            let type = "application/x-www-form-urlencoded"
            var headers = [("content-type", type), ("host", URLParts(url)?.hostHeader ?? ""), ("x-amz-date", stamp)]
            if let token = source.sessionToken { headers.append(("x-amz-security-token", token)) }
            for (name, value) in headers where name != "host" { lines.append("\(name): \(value)") }
            lines.text.append("Authorization: ")
            signer.sign(
                into: lines.text, identity: identity, time: time, method: "POST", path: "/", query: "",
                headers: headers.map { (name: $0.0, value: $0.1) }, body: body.bytes)
            lines.end()
        }
        return try Self.credentials(answer, role)
    }

    private static func credentials(
        _ answer: HTTPFetcher.Answer, _ role: String
    ) throws(CredentialsFailure) -> AWSCredentials {
        guard answer.status == 200 else {
            let code = CredentialAnswers.element("Code", in: answer.text) ?? "status \(answer.status)"
            let words = CredentialAnswers.element("Message", in: answer.text) ?? ""
            throw CredentialsFailure(
                isTransient: false, description: "the security token service refused the role \(role): \(code) \(words)"
            )
        }
        return try CredentialAnswers.tokenService(answer.text)
    }

    static func form(_ fields: [(String, String)]) -> String {
        fields.map { "\($0.0)=\(Self.encoded($0.1))" }.joined(separator: "&")
    }

    private static func encoded(_ text: String) -> String {
        let buffer = ByteBuffer()
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                buffer.append(byte)
            default:
                buffer.append(UInt8(ascii: "%"))
                withUnsafeBytes(of: byte) { buffer.append(hex: $0) }
            }
        }
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    // MARK: Containers

    private func container() async throws(CredentialsFailure) -> AWSCredentials? {
        let url: String
        if let path = self.environment.value("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            url = "http://169.254.170.2\(path)"
        } else if let full = self.environment.value("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            // Plain HTTP only to where nobody else can listen: the token would be readable on the way.
            guard let parts = URLParts(full), parts.isSecure || URLParts.isLocal(parts.host) else {
                throw CredentialsFailure(
                    isTransient: false,
                    description: "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or plain http to this machine")
            }
            url = full
        } else {
            return nil
        }
        var token = self.environment.value("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        if let file = self.environment.value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            token = await self.environment.text(ofFile: file)
        }
        if let token, token.utf8.contains(where: { $0 == 10 || $0 == 13 }) {
            throw CredentialsFailure(
                isTransient: false, description: "the container's authorization token has a line end in it")
        }
        let answer = try await self.fetcher.fetch(.get, url) { [token] lines, _ in
            if let token { lines.append("Authorization: \(token)") }
        }
        guard answer.status == 200 else {
            throw CredentialsFailure(
                isTransient: false, description: "the container's metadata answered with status \(answer.status)")
        }
        return try CredentialAnswers.metadata(answer.text, from: "the container's metadata")
    }
}
