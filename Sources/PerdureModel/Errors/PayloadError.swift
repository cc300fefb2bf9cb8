/// Why a payload could not be read or written.
///
/// Nothing was changed and nothing was made up: whoever gets this error has no state in hand, not even an empty one.
/// `description` says the code and no more: it may go to strangers. `debugDescription` says what is known, the manifest
/// included, and never the contents of a payload.
public struct PayloadError: Error, Sendable {
    /// What went wrong, as far as a program should care; more codes may be added.
    public let code: Code
    /// What was wrong, with what value, and what to do; for people who run the service. Holds nothing of a payload's contents.
    public let message: String
    /// The manifest concerned, if it is about one.
    public let manifest: String?
    /// What a decoder, an encoder or a migration threw. Its text may quote the payload, so neither description prints it.
    public let underlying: (any Error)?
    /// Where in the code the error was made, as `Module/File.swift:line`.
    public let location: String

    /// Makes an error; `location` defaults to the caller's.
    public init(
        _ code: Code,
        message: String,
        manifest: String? = nil,
        underlying: (any Error)? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) {
        self.code = code
        self.message = message
        self.manifest = manifest
        self.underlying = underlying
        self.location = "\(fileID):\(line)"
    }

    /// What went wrong: a value that can be compared, of which there may be more in a later release.
    ///
    /// `catch` can match it: `catch PayloadError.Code.newerVersion { … }`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        private init(_ name: String) { self.name = name }

        /// The manifest is in nobody's language here: another encoding, or nonsense.
        public static let unknownManifest = Code("unknownManifest")
        /// No decoder is registered for the type that the payload names.
        public static let unknownType = Code("unknownType")
        /// The payload holds a state of another type than the one asked for.
        public static let wrongType = Code("wrongType")
        /// The payload has an older schema version that no migration starts from.
        public static let unknownVersion = Code("unknownVersion")
        /// The payload has a newer schema version than this program knows: a newer release wrote it.
        public static let newerVersion = Code("newerVersion")
        /// The bytes are not what the manifest says.
        public static let malformed = Code("malformed")
        /// The payload is well formed and holds no state at all.
        public static let noState = Code("noState")
        /// The state cannot be encoded.
        public static let encodingFailed = Code("encodingFailed")
        /// A migration threw.
        public static let migrationFailed = Code("migrationFailed")
        /// A codec or a registry was set up wrongly: a name that breaks the rule, a gap in the migrations, a name used twice.
        public static let misconfigured = Code("misconfigured")

        /// The code's name.
        public var description: String { self.name }

        /// Lets `catch PayloadError.Code.newerVersion` match an error by its code.
        public static func ~= (code: Code, error: any Error) -> Bool { (error as? PayloadError)?.code == code }
    }
}

extension PayloadError: CustomStringConvertible, CustomDebugStringConvertible {
    /// The code alone: fit for strangers.
    public var description: String { "unusable payload: \(self.code)" }

    /// Everything that is known and is not contents, for people who run the service.
    public var debugDescription: String {
        var text = self.description
        if let manifest = self.manifest { text += " under the manifest \(manifest.debugDescription)" }
        text += ": \(self.message)"
        if let underlying = self.underlying { text += "; because of an error of the type \(type(of: underlying))" }
        return text + " [\(self.location)]"
    }
}
