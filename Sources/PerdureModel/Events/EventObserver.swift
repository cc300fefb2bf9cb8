internal import Glibc

/// Gets told what happens inside: the seam for logs and metrics.
public protocol EventObserver: Sendable {
    /// Takes notice of an event. Called where the event happens, often on a hot path: return at once, do not block.
    func observe(_ event: PerdureEvent)
}

/// Writes a line for each event to standard error.
public struct StandardErrorObserver: EventObserver {
    private let minimum: PerdureEvent.Level

    /// Writes the events of at least the `minimum` level.
    public init(minimum: PerdureEvent.Level = .info) { self.minimum = minimum }

    /// Writes one line: the level, the event's name, and its fields as `key=value`.
    public func observe(_ event: PerdureEvent) {
        guard event.level >= self.minimum else { return }
        let fields = event.fields.map { " \($0.key)=\($0.value)" }.joined()
        var line = "perdure \(event.level) \(event.name)\(fields)\n"
        // One write, so that lines of several threads do not mix.
        line.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }
}

extension EventObserver where Self == StandardErrorObserver {
    /// Lines on standard error, for events of at least the `minimum` level.
    public static func standardError(minimum: PerdureEvent.Level = .info) -> StandardErrorObserver {
        StandardErrorObserver(minimum: minimum)
    }
}
