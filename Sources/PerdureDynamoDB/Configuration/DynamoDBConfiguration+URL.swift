internal import PerdureModel
public import PerdureState

extension DynamoDBConfiguration {
    /// Reads `dynamodb://region/table?setting=value&…`; without a region, `dynamodb:///table`, it comes from the environment.
    ///
    /// Settings are `endpoint`, `profile`, `max_connections`, `connect_timeout`, `attempt_timeout`, `write_timeout`, `read_timeout`,
    /// `busy_poll`, `tombstone_lifetime`, `max_payload` (bytes), `listing_segments`, `nanoseconds` (`true` or `false`) and `ca_file`. Times are written `200us`, `500ms`, `90s`,
    /// `10m`, `1h`, or as plain seconds. Credentials are never in a URL.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` that says which part is wrong.
    public init(url: String) throws(StoreError) {
        func flaw(_ words: String) -> StoreError {
            StoreError(.misconfigured, operation: .connect, message: "the DynamoDB URL cannot be used: \(words)")
        }
        guard url.hasPrefix("dynamodb://") else { throw flaw("it must begin with dynamodb://") }
        let parts = url.dropFirst(11).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = parts[0].split(separator: "/", omittingEmptySubsequences: false)
        guard place.count == 2, !place[0].contains("@") else {
            throw flaw("it must have the form dynamodb://region/table")
        }
        self.init(table: String(place[1]), region: place[0].isEmpty ? nil : String(place[0]))
        for setting in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let pair = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let value = SettingText.percentDecoded(pair[1]) else {
                throw flaw("the setting \(pair[0]) has no value")
            }
            guard self.set(String(pair[0]), to: value) else {
                throw flaw("there is no setting \(pair[0]) with the value \(value.debugDescription)")
            }
        }
        if let violation = self.violation { throw flaw(violation) }
    }

    /// False when there is no such setting, or it has no such value.
    private mutating func set(_ key: String, to value: String) -> Bool {
        func assign<Value>(_ path: WritableKeyPath<DynamoDBConfiguration, Value>, _ value: Value?) -> Bool {
            guard let value else { return false }
            self[keyPath: path] = value
            return true
        }
        switch key {
        case "endpoint": return assign(\.endpoint, value)
        case "profile": return assign(\.credentials, .profile(value))
        case "ca_file": return assign(\.authoritiesFile, value)
        case "max_connections": return assign(\.maximumConnections, Int(value))
        case "max_payload": return assign(\.maximumPayloadByteCount, Int(value))
        case "listing_segments": return assign(\.listingSegments, Int(value))
        case "nanoseconds": return assign(\.writesNanoseconds, Bool(value))
        case "connect_timeout": return assign(\.connectTimeout, SettingText.time(value))
        case "attempt_timeout": return assign(\.attemptTimeout, SettingText.time(value))
        case "write_timeout": return assign(\.writeTimeout, SettingText.time(value))
        case "read_timeout": return assign(\.readTimeout, SettingText.time(value))
        case "busy_poll": return assign(\.busyPolling, SettingText.time(value))
        case "tombstone_lifetime": return assign(\.tombstoneLifetime, SettingText.time(value))
        default: return false
        }
    }
}
