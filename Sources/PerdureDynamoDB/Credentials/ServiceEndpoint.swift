internal import PerdureModel
internal import PerdureState

/// Where the service is: region and endpoint, found as AWS's own tools find them.
struct ServiceEndpoint: Sendable, Equatable {
    var region: String
    var endpoint: URLParts

    /// The domain of AWS's services in a region.
    static func domain(of region: String) -> String { region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com" }

    /// Looks into the configuration, the environment, the profile, and last the machine's metadata.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when there is no region, or what is configured is no URL.
    static func resolve(
        _ configuration: DynamoDBConfiguration, _ environment: AWSEnvironment, _ fetcher: HTTPFetcher
    ) async throws(StoreError) -> ServiceEndpoint {
        func flaw(_ words: String) -> StoreError { StoreError(.misconfigured, operation: .connect, message: words) }
        var region = configuration.region ?? environment.value("AWS_REGION") ?? environment.value("AWS_DEFAULT_REGION")
        var address =
            configuration.endpoint ?? environment.value("AWS_ENDPOINT_URL_DYNAMODB")
            ?? environment.value("AWS_ENDPOINT_URL")
        if region == nil || address == nil {
            var name = environment.profileName
            if case .profile(let profile) = configuration.credentials { name = profile }
            let profile = await SharedProfiles(environment).profiles[name] ?? [:]
            region = region ?? profile["region"]
            address = address ?? profile["endpoint_url"]
        }
        let metadata = InstanceMetadata(environment: environment, fetcher: fetcher)
        if region == nil, !metadata.isDisabled { region = try? await metadata.region() }
        guard let region, !region.isEmpty else {
            throw flaw("there is no region; set it in the configuration, AWS_REGION, or the profile")
        }
        let url = address ?? "https://dynamodb.\(region).\(Self.domain(of: region))"
        guard let endpoint = URLParts(url) else {
            throw flaw("the endpoint must be an http or https URL; it is \(url.debugDescription)")
        }
        return ServiceEndpoint(region: region, endpoint: endpoint)
    }
}
