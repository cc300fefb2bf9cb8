// What our examples use of swift-service-lifecycle, declared as releases 2.4 to 2.8 declare it. Examples are compiled against it.

/// Something that runs until it is told to stop.
public protocol Service: Sendable {
    /// Works; returns or throws when it is over.
    func run() async throws
}

/// Cancels an operation when the group that it runs in shuts down gracefully; here it only runs it.
public func cancelWhenGracefulShutdown<T: Sendable>(
    _ operation: @Sendable @escaping () async throws -> T
) async rethrows -> T {
    try await operation()
}
