/// The profiles of the shared files, `~/.aws/config` and `~/.aws/credentials`.
struct SharedProfiles: Sendable, Equatable {
    /// The settings of each profile, by its name; where both files have one, that of the credentials file is used.
    private(set) var profiles: [String: [String: String]] = [:]

    /// Reads the two files; what is no setting is passed over, as the other tools do.
    init(config: String, credentials: String) {
        self.read(config, isConfig: true)
        self.read(credentials, isConfig: false)
    }

    /// Reads the files where the environment says that they are.
    init(_ environment: AWSEnvironment) async {
        let folder = "\(environment.home)/.aws"
        let config = await environment.text(ofFile: environment.value("AWS_CONFIG_FILE") ?? "\(folder)/config")
        let credentials = await environment.text(
            ofFile: environment.value("AWS_SHARED_CREDENTIALS_FILE") ?? "\(folder)/credentials")
        self.init(config: config ?? "", credentials: credentials ?? "")
    }

    private mutating func read(_ text: String, isConfig: Bool) {
        var name: String?
        for line in text.split(whereSeparator: \.isNewline) {
            let trimmed = Self.trimmed(line)
            if trimmed.isEmpty || trimmed.hasPrefix("#") || trimmed.hasPrefix(";") { continue }
            if trimmed.hasPrefix("[") {
                guard let end = trimmed.firstIndex(of: "]") else {
                    name = nil
                    continue
                }
                let words = trimmed[trimmed.index(after: trimmed.startIndex)..<end].split(
                    whereSeparator: \.isWhitespace)
                // In the config file all but the default are called "profile NAME"; other sections are none of ours.
                switch (isConfig, words.count) {
                case (_, 1) where !isConfig || words[0] == "default": name = String(words[0])
                case (true, 2) where words[0] == "profile": name = String(words[1])
                default: name = nil
                }
                if let name, self.profiles[name] == nil { self.profiles[name] = [:] }
                continue
            }
            // Indented lines belong to a setting of several lines, such as `s3 =`.
            guard let name, let sign = trimmed.firstIndex(of: "="), line.first?.isWhitespace == false else { continue }
            let key = Self.trimmed(trimmed[..<sign]).lowercased()
            self.profiles[name]?[key] = String(Self.trimmed(trimmed[trimmed.index(after: sign)...]))
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first?.isWhitespace == true { text = text.dropFirst() }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return text
    }
}
