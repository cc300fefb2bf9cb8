import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import Testing

@testable import PerdureDynamoDB

@Suite struct CredentialsChainTests {
    static let config = """
        # a comment
        [default]
        region = eu-north-1
        [profile base]
        aws_access_key_id = BASE
        aws_secret_access_key=base secret
        s3 =
          max_concurrent_requests = 20
        [profile role]
        role_arn = arn:aws:iam::1:role/r+x
        source_profile = base
        external_id = ext
        endpoint_url = http://127.0.0.1:1
        [profile loop]
        role_arn = arn:aws:iam::1:role/r
        source_profile = loop2
        [profile loop2]
        role_arn = arn:aws:iam::1:role/r
        source_profile = loop
        [profile process]
        credential_process = /bin/x
        [sso-session x]
        aws_access_key_id = NOT
        """
    static let credentials = "[other]\naws_access_key_id = OTHER\naws_secret_access_key = o\naws_session_token = t\n"
    static let token =
        #"<R><Credentials><AccessKeyId>STS</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></R>"#
    static let metadata =
        #"{"AccessKeyId":"META","SecretAccessKey":"m","Token":"tok","Expiration":"2030-01-01T00:00:00Z"}"#

    static func fetch(
        _ variables: [String: String], profile: String? = nil,
        script: @escaping ScriptedPeer.Script = { _ in .answer(404, "") },
        _ check: (ScriptedPeer) -> Void = { _ in }
    ) async throws -> AWSCredentials {
        let peer = try ScriptedPeer(script)
        let transport = try HTTPTransport.start(named: "test", .init())
        defer {
            transport.shutDown()
            peer.stop()
        }
        let all = variables.mapValues { $0.replacing("PEER", with: peer.url) }.merging(
            ["HOME": "/home/x", "AWS_ENDPOINT_URL_STS": peer.url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": peer.url]
        ) { first, _ in first }
        let environment = AWSEnvironment(
            variable: { all[$0] },
            file: { path in
                switch path {
                case "/home/x/.aws/config": Self.config
                case "/home/x/.aws/credentials": Self.credentials
                case "/token": " web+token/= \n"
                default: nil
                }
            })
        let chain = CredentialsChain(
            environment: environment, fetcher: HTTPFetcher(transport: transport, clock: ManualClock()),
            region: "eu-central-1",
            profile: profile, fallback: nil)
        let found = try await chain.fetch()
        check(peer)
        return found
    }

    @Test func findsThemInTheEnvironment() async throws {
        let found = try await Self.fetch([
            "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "e", "AWS_SESSION_TOKEN": "t", "AWS_PROFILE": "base",
        ])
        #expect(found == AWSCredentials(accessKeyID: "ENV", secretAccessKey: "e", sessionToken: "t"))
    }

    @Test func findsThemInProfiles() async throws {
        #expect(
            try await Self.fetch(["AWS_PROFILE": "base"])
                == AWSCredentials(accessKeyID: "BASE", secretAccessKey: "base secret"))
        // A profile that was named wins over the environment.
        let variables = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "e"]
        #expect(
            try await Self.fetch(variables, profile: "other")
                == AWSCredentials(accessKeyID: "OTHER", secretAccessKey: "o", sessionToken: "t"))
    }

    @Test func assumesRoles() async throws {
        let found = try await Self.fetch(["AWS_PROFILE": "role"], script: { _ in .answer(200, Self.token) }) { peer in
            let request = peer.requests.first
            #expect(
                request?.text
                    == "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3aaws%3aiam%3a%3a1%3arole%2fr%2bx&RoleSessionName=perdure&ExternalId=ext"
            )
            #expect(
                request?.header("authorization")?.contains("Credential=BASE/20231114/eu-central-1/sts/aws4_request")
                    == true)
        }
        #expect(
            found
                == AWSCredentials(
                    accessKeyID: "STS", secretAccessKey: "s", sessionToken: "t", expiration: 1_893_456_000_000))
    }

    @Test func showsAWebIdentityToken() async throws {
        let variables = ["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn", "AWS_ROLE_SESSION_NAME": "me"]
        let found = try await Self.fetch(variables, script: { _ in .answer(200, Self.token) }) { peer in
            let request = peer.requests.first
            #expect(
                request?.text.hasSuffix("RoleSessionName=me&WebIdentityToken=web%2btoken%2f%3d") == true,
                "\(request?.text ?? "")")
            #expect(request?.header("authorization") == nil)
        }
        #expect(found.accessKeyID == "STS")
    }

    @Test func asksTheContainer() async throws {
        let variables = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "PEER/creds?x=1", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "let me in",
        ]
        let found = try await Self.fetch(
            variables,
            script: { request in
                request.line == "GET /creds?x=1 HTTP/1.1" && request.header("authorization") == "let me in"
                    ? .answer(200, Self.metadata) : .answer(403, "")
            })
        #expect(found.accessKeyID == "META" && found.sessionToken == "tok" && found.expiration == 1_893_456_000_000)
        await #expect(throws: CredentialsFailure.self) {
            try await Self.fetch(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/creds"])
        }
    }

    @Test func asksTheMachineInTwoSteps() async throws {
        let script: ScriptedPeer.Script = { request in
            switch request.line {
            case "PUT /latest/api/token HTTP/1.1":
                request.header("x-aws-ec2-metadata-token-ttl-seconds") == "21600" ? .answer(200, "T") : .answer(400, "")
            case _ where request.header("x-aws-ec2-metadata-token") != "T": .answer(401, "")
            case "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1": .answer(200, "the-role\n")
            case "GET /latest/meta-data/iam/security-credentials/the-role HTTP/1.1":
                // Busy at first.
                request.number == 3 ? .answer(503, "") : .answer(200, Self.metadata)
            default: .answer(404, "")
            }
        }
        let clock = ManualClock()
        _ = clock
        #expect(
            try await Self.fetch(["AWS_PROFILE": ""], script: { script(Self.renumbered($0)) }).accessKeyID == "META")
        await #expect(throws: CredentialsFailure.self) {
            try await Self.fetch(["AWS_EC2_METADATA_DISABLED": "true"], script: script)
        }
    }

    /// The manual clock of these tests never moves, so nothing may have to be asked again.
    private static func renumbered(_ request: ScriptedPeer.Request) -> ScriptedPeer.Request {
        var request = request
        request.number = 0
        return request
    }

    @Test(arguments: ["loop", "process", "none"]) func saysWhyThereAreNone(_ profile: String) async throws {
        do {
            _ = try await Self.fetch([:], profile: profile)
            Issue.record("credentials from nowhere")
        } catch let failure as CredentialsFailure {
            #expect(!failure.isTransient && failure.description.contains(profile), "\(failure)")
        }
    }

    @Test func readsTimes() {
        #expect(CredentialAnswers.time("2030-01-01T00:00:00Z") == 1_893_456_000_000)
        #expect(CredentialAnswers.time("2030-01-01T00:00:00.123Z") == 1_893_456_000_000)
        for text in ["", "2030-01-01", "2030-13-01T00:00:00Z", "x030-01-01T00:00:00Z"] {
            #expect(CredentialAnswers.time(text) == nil)
        }
    }
}

@Suite struct CredentialsCacheTests {
    /// A source that waits at a gate, and counts.
    private final class Source: CredentialsSource {
        let state = LockedState((count: 0, fails: false, waiters: [CheckedContinuation<Void, Never>](), isOpen: true))
        let clock: ManualClock
        let lifetime: Int64?

        init(_ clock: ManualClock, lifetime: Int64?) {
            self.clock = clock
            self.lifetime = lifetime
        }

        func fetch() async throws(CredentialsFailure) -> AWSCredentials {
            await withCheckedContinuation { continuation in
                let isOpen = self.state.withLock { state in
                    state.count += 1
                    if !state.isOpen { state.waiters.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
            let (count, fails) = self.state.withLock { ($0.count, $0.fails) }
            if fails { throw CredentialsFailure(isTransient: true, description: "no") }
            return AWSCredentials(
                accessKeyID: "\(count)", secretAccessKey: "s",
                expiration: self.lifetime.map { self.clock.unixMilliseconds + $0 })
        }

        func open() {
            let waiters = self.state.withLock { state in
                state.isOpen = true
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    @Test func fetchesOnceForAll() async throws {
        let clock = ManualClock()
        let source = Source(clock, lifetime: nil)
        source.state.withLock { $0.isOpen = false }
        let cache = CredentialsCache(source, clock: clock)
        let keys = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 { group.addTask { try await cache.identity().credentials.accessKeyID } }
            while source.state.withLock({ $0.waiters.isEmpty }) { await Task.yield() }
            source.open()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(keys == Array(repeating: "1", count: 20) && source.state.withLock { $0.count } == 1)
        clock.advance(by: .seconds(1_000_000_000))
        #expect(try await cache.identity().credentials.accessKeyID == "1")
    }

    @Test func fetchesNewOnesBeforeTheOldOnesEnd() async throws {
        let clock = ManualClock()
        let source = Source(clock, lifetime: 3_600_000)
        let cache = CredentialsCache(source, clock: clock)
        #expect(try await cache.identity().credentials.accessKeyID == "1")
        clock.advance(by: .seconds(3_299))
        #expect(try await cache.identity().credentials.accessKeyID == "1")
        #expect(source.state.withLock { $0.count } == 1)
        clock.advance(by: .seconds(2))
        // The old ones serve while new ones are on their way.
        var key = try await cache.identity().credentials.accessKeyID
        #expect(key == "1")
        for _ in 0..<1_000_000 where key == "1" {
            await Task.yield()
            key = try await cache.identity().credentials.accessKeyID
        }
        #expect(key == "2" && source.state.withLock { $0.count } == 2)
        // Beyond their end everybody waits.
        clock.advance(by: .seconds(7_200))
        #expect(try await cache.identity().credentials.accessKeyID == "3")
    }

    @Test func usesTheOldOnesWhileNewOnesCannotBeHad() async throws {
        let clock = ManualClock()
        let source = Source(clock, lifetime: 3_600_000)
        let cache = CredentialsCache(source, clock: clock)
        _ = try await cache.identity()
        source.state.withLock { $0.fails = true }
        clock.advance(by: .seconds(3_400))
        #expect(try await cache.identity().credentials.accessKeyID == "1")
        while source.state.withLock({ $0.count }) < 2 { await Task.yield() }
        clock.advance(by: .seconds(200))
        await #expect(throws: CredentialsFailure.self) { try await cache.identity() }
        source.state.withLock { $0.fails = false }
        _ = try await cache.identity()
    }
}

@Suite struct ConfigurationTests {
    @Test func readsURLs() throws {
        let configuration = try DynamoDBConfiguration(
            url:
                "dynamodb://eu-central-1/states_store?endpoint=http://127.0.0.1:8000&profile=a%20b&write_timeout=500ms&busy_poll=3ms&tombstone_lifetime=1h&max_connections=7&nanoseconds=true"
        )
        #expect(configuration.table == "states_store" && configuration.region == "eu-central-1")
        #expect(configuration.endpoint == "http://127.0.0.1:8000" && configuration.credentials == .profile("a b"))
        #expect(configuration.writeTimeout == .milliseconds(500) && configuration.tombstoneLifetime == .seconds(3_600))
        #expect(configuration.maximumConnections == 7 && configuration.writesNanoseconds)
        #expect(configuration.busyPolling == .milliseconds(3))
        #expect(try DynamoDBConfiguration(url: "dynamodb:///states_store").region == nil)
    }

    @Test(arguments: [
        "", "postgres://a/b", "dynamodb://eu", "dynamodb://eu/", "dynamodb://eu/a", "dynamodb://eu/ta ble",
        "dynamodb://k:s@eu/table",
        "dynamodb://eu/table?x=1", "dynamodb://eu/table?endpoint", "dynamodb://eu/table?endpoint=ftp://x",
        "dynamodb://eu/table?max_connections=0", "dynamodb://eu/table?write_timeout=0",
        "dynamodb://eu/table?write_timeout=1x", "dynamodb://eu/table?busy_poll=2s",
        "dynamodb://E_U/table", "dynamodb://eu/table/more", "dynamodb://eu/table?profile=%zz",
    ])
    func refusesOthers(_ url: String) {
        #expect(throws: StoreError.self) { try DynamoDBConfiguration(url: url) }
    }

    @Test(
        arguments: [
            ("http://a", "a", nil, "/"), ("https://a.b:444/c?d", "a.b", 444, "/c?d"),
            ("http://[::1]:8/x", "::1", 8, "/x"),
            ("http://a?b", "a", nil, "/?b"),
        ] as [(String, String, Int?, String)])
    func readsAddresses(_ url: String, _ host: String, _ port: Int?, _ path: String) throws {
        let parts = try #require(URLParts(url))
        #expect(parts.host == host && parts.port == port && parts.path == path)
    }

    @Test func leavesOutThePortThatIsTheSchemes() {
        #expect(URLParts("https://a:443/")?.hostHeader == "a" && URLParts("http://a:443/")?.hostHeader == "a:443")
        #expect(URLParts("http://[::1]:80")?.hostHeader == "[::1]")
    }

    @Test func findsRegionAndEndpoint() async throws {
        func resolve(_ variables: [String: String], region: String? = nil) async throws -> ServiceEndpoint {
            let transport = try HTTPTransport.start(named: "test", .init())
            defer { transport.shutDown() }
            var configuration = DynamoDBConfiguration(table: "table")
            configuration.region = region
            let environment = AWSEnvironment(
                variable: { variables[$0] ?? ($0 == "AWS_EC2_METADATA_DISABLED" ? "true" : nil) },
                file: { $0.hasSuffix("config") ? CredentialsChainTests.config : nil })
            return try await ServiceEndpoint.resolve(
                configuration, environment, HTTPFetcher(transport: transport, clock: ManualClock()))
        }
        #expect(try await resolve([:]).endpoint == URLParts("https://dynamodb.eu-north-1.amazonaws.com"))
        #expect(try await resolve(["AWS_REGION": "cn-north-1"]).endpoint.host == "dynamodb.cn-north-1.amazonaws.com.cn")
        #expect(try await resolve(["AWS_REGION": "eu-west-1"], region: "us-east-1").region == "us-east-1")
        #expect(try await resolve(["AWS_ENDPOINT_URL": "http://a:1"]).endpoint.host == "a")
        #expect(
            try await resolve(["AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://b:1"]).endpoint
                .host == "b")
        #expect(
            try await resolve(["AWS_PROFILE": "role", "AWS_REGION": "eu-west-1"]).endpoint
                == URLParts("http://127.0.0.1:1"))
        await #expect(throws: StoreError.self) { _ = try await resolve(["AWS_PROFILE": "base"]) }
    }
}
