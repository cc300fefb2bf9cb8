/// What can be done with a descriptor, or what is wished to be told about it.
///
/// Public for speed alone: see `Documentation/decisions/unspecialized-package-code.md`.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// There is something to read, or the end of the stream.
    @inlinable public static var readable: Readiness { Readiness(rawValue: 1) }
    /// There is room to write.
    @inlinable public static var writable: Readiness { Readiness(rawValue: 2) }
    /// The other side has closed, or the descriptor is broken. Told without being asked for; read to learn which.
    @inlinable public static var closed: Readiness { Readiness(rawValue: 4) }
}

/// Gets told, on the loop's thread, when a descriptor is ready.
package protocol DescriptorHandler: AnyObject {
    /// Does what can be done at once; must not block.
    ///
    /// Readiness is told again as long as it lasts (level-triggered): a handler need not read everything there is, but must
    /// take back its interest in writing when it has nothing to write.
    func ready(_ readiness: Readiness)
}
