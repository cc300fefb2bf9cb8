// What our examples use of swift-log, declared as releases 1.5 to 1.6 declare it. Examples are compiled against it; nothing is logged.

/// Emits messages.
public struct Logger: Sendable {
    /// Who speaks.
    public let label: String

    /// A logger of the backend that the process has chosen.
    public init(label: String) { self.label = label }

    /// Emits a message of this level.
    @inlinable
    public func log(
        level: Logger.Level, _ message: @autoclosure () -> Logger.Message,
        metadata: @autoclosure () -> Logger.Metadata? = nil, source: @autoclosure () -> String? = nil,
        file: String = #fileID, function: String = #function, line: UInt = #line
    ) {}

    /// The same without a source of its own.
    @inlinable
    public func log(
        level: Logger.Level, _ message: @autoclosure () -> Logger.Message,
        metadata: @autoclosure () -> Logger.Metadata? = nil, file: String = #fileID, function: String = #function,
        line: UInt = #line
    ) {}
}

extension Logger {
    /// What is said beside the message.
    public typealias Metadata = [String: MetadataValue]

    /// A value in it; there are dictionaries and lists as well.
    public enum MetadataValue: Sendable {
        /// A text.
        case string(String)
        /// Anything that can be shown as one.
        case stringConvertible(any CustomStringConvertible & Sendable)
    }

    /// How bad it is.
    public enum Level: String, Codable, CaseIterable, Sendable {
        /// The least severe.
        case trace
        /// For debugging.
        case debug
        /// For information.
        case info
        /// Out of the ordinary.
        case notice
        /// Worth a look.
        case warning
        /// Something failed.
        case error
        /// The most severe.
        case critical
    }

    /// The text of a message, written as a literal.
    public struct Message: ExpressibleByStringLiteral, Equatable, CustomStringConvertible,
        ExpressibleByStringInterpolation, Sendable
    {
        /// The text.
        public let description: String

        /// A message of this text.
        public init(stringLiteral value: String) { self.description = value }
    }
}
