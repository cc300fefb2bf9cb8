/// What the machine's own metadata service says (version 2 of its protocol: a token first).
struct InstanceMetadata: Sendable {
    let environment: AWSEnvironment
    let fetcher: HTTPFetcher

    private var root: String {
        let url =
            self.environment.value("AWS_EC2_METADATA_SERVICE_ENDPOINT")
            ?? (self.environment.value("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.lowercased() == "ipv6"
                ? "http://[fd00:ec2::254]" : "http://169.254.169.254")
        return url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    var isDisabled: Bool { self.environment.value("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" }

    func credentials() async throws(CredentialsFailure) -> AWSCredentials {
        let token = try await self.token()
        let folder = "/latest/meta-data/iam/security-credentials/"
        let role = try await self.get(folder, token).split(whereSeparator: \.isNewline).first.map { String($0) } ?? ""
        guard !role.isEmpty else {
            throw CredentialsFailure(isTransient: false, description: "the machine has no role attached")
        }
        return try CredentialAnswers.metadata(try await self.get(folder + role, token), from: "the machine's metadata")
    }

    func region() async throws(CredentialsFailure) -> String {
        try await self.get("/latest/meta-data/placement/region", try await self.token())
    }

    private func token() async throws(CredentialsFailure) -> String {
        guard !self.isDisabled else {
            throw CredentialsFailure(
                isTransient: false,
                description:
                    "found none in the environment, the shared files or a container, and the machine's metadata is disabled"
            )
        }
        let answer: HTTPFetcher.Answer
        do throws(CredentialsFailure) {
            // Where there is no such service nobody answers: that must not take long.
            answer = try await self.fetcher.fetch(
                .put, self.root + "/latest/api/token", timeout: .seconds(1), attempts: 2
            ) {
                lines, _ in lines.append("X-aws-ec2-metadata-token-ttl-seconds: 21600")
            }
        } catch {
            throw CredentialsFailure(
                isTransient: false,
                description:
                    "found none in the environment, the shared files or a container, and there is no machine's metadata"
                    + " (\(error.description)); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile")
        }
        guard answer.status == 200 else {
            throw CredentialsFailure(
                isTransient: false, description: "the machine's metadata refused a token with status \(answer.status)")
        }
        return answer.text
    }

    private func get(_ path: String, _ token: String) async throws(CredentialsFailure) -> String {
        let answer = try await self.fetcher.fetch(.get, self.root + path) { lines, _ in
            lines.append("X-aws-ec2-metadata-token: \(token)")
        }
        guard answer.status == 200 else {
            throw CredentialsFailure(
                isTransient: answer.status == 404 ? false : true,
                description: "the machine's metadata answered with status \(answer.status)")
        }
        return answer.text
    }
}
