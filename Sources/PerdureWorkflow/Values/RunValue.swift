public import PerdureModel
internal import Synchronization

/// A value of a run, such as a step's output: as the program has it, as the bytes that are stored, or both.
///
/// A value is encoded at most once and handed on as it is; it is decoded only where it came from a store. Values are JSON.
public final class RunValue: Sendable {
    private let live: (any LiveValue)?
    /// Set once. No lock: a run in memory makes a value for each step and never looks at its bytes.
    private let encoded = AtomicLazyReference<EncodedValue>()

    /// The value that was stored as `bytes`.
    public init(bytes: [UInt8]) {
        self.live = nil
        _ = self.encoded.storeIfNil(EncodedValue(bytes))
    }

    /// A value of the program; it is encoded when its bytes are first asked for.
    public init<Value: Codable & Sendable>(_ value: Value) {
        self.live = Live(value)
    }

    /// The bytes that are stored: JSON with sorted keys.
    ///
    /// - Throws: ``PayloadError/Code/encodingFailed`` when the value cannot be encoded.
    public var bytes: [UInt8] {
        get throws(PayloadError) {
            if let encoded = self.encoded.load() { return encoded.bytes }
            guard let live = self.live else { return [] }
            // Two who ask at once encode alike: keys are sorted.
            return self.encoded.storeIfNil(EncodedValue(try live.encode())).bytes
        }
    }

    /// The value as a `Value`: as it is where the program made it, decoded where it was stored.
    ///
    /// - Throws: ``PayloadError/Code/malformed`` when the bytes are not a `Value`, or the value cannot be encoded.
    public func decoded<Value: Codable & Sendable>(as type: Value.Type = Value.self) throws(PayloadError) -> Value {
        if let value = self.live?.value(as: Value.self) { return value }
        // A step that continues on error gives an optional of what its handler gave.
        if let optional = type as? any OptionalValue.Type, let live = self.live,
            let wrapped = optional.wrapping(live.any), let value = wrapped as? Value
        {
            return value
        }
        return try RunValueCoding.decode(type, from: self.bytes)
    }

    private final class EncodedValue: Sendable {
        let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }
    }

    private protocol LiveValue: Sendable {
        var any: any Sendable { get }
        /// The value, where it is of exactly this type.
        func value<Wanted>(as type: Wanted.Type) -> Wanted?
        func encode() throws(PayloadError) -> [UInt8]
    }

    private struct Live<Value: Codable & Sendable>: LiveValue {
        let value: Value

        init(_ value: Value) { self.value = value }

        var any: any Sendable { self.value }

        func value<Wanted>(as type: Wanted.Type) -> Wanted? { type == Value.self ? self.value as? Wanted : nil }

        func encode() throws(PayloadError) -> [UInt8] { try RunValueCoding.encode(self.value) }
    }
}

private protocol OptionalValue {
    /// The optional of a value, as something of this type; nil where the value is of another type.
    static func wrapping(_ value: any Sendable) -> Any?
}

extension Optional: OptionalValue {
    fileprivate static func wrapping(_ value: any Sendable) -> Any? {
        (value as? Wrapped).map { Optional($0) as Any }
    }
}
