extension DecodingError {
    /// What was wrong and where, without a word of the data.
    ///
    /// The error's own text quotes values (`Cannot initialize Color from invalid String value …`), and its path holds the keys
    /// of dictionaries, which are data too. So only the kind is told, and of the path only what the types' own keys say.
    var summary: String {
        switch self {
        case .typeMismatch(let type, let context):
            "\(Self.place(context)) is not a \(StoredTypeName.of(type))"
        case .valueNotFound(let type, let context):
            "\(Self.place(context)) is null where a \(StoredTypeName.of(type)) should be"
        case .keyNotFound(let key, let context):
            "\(Self.place(context)) lacks the key \(Self.name(of: key))"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "the bytes are not valid JSON, or their value is not allowed"
                : "\(Self.place(context)) has a value that is not allowed"
        @unknown default:
            "the bytes do not fit the type"
        }
    }

    private static func place(_ context: Context) -> String {
        context.codingPath.isEmpty ? "the top level" : context.codingPath.map(self.name(of:)).joined(separator: ".")
    }

    /// Keys of types are enums without associated values, made by the compiler or by hand; keys of dictionaries are not.
    private static func name(of key: any CodingKey) -> String {
        if let index = key.intValue { return "[\(index)]" }
        let mirror = Mirror(reflecting: key)
        return mirror.displayStyle == .enum && mirror.children.isEmpty ? key.stringValue : "*"
    }
}
