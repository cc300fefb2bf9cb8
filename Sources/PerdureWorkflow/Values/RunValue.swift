internal import PerdureConcurrency
public import PerdureModel

/// A value of a run, such as a step's output: as the program has it, as the bytes that are stored, or both.
///
/// A value is encoded at most once and handed on as it is; it is decoded only where it came from a store. Values are JSON.
public final class RunValue: Sendable {
    private let live: (any LiveValue)?
    private let encoded: LockedState<[UInt8]?>

    /// The value that was stored as `bytes`.
    public init(bytes: [UInt8]) {
        self.live = nil
        self.encoded = LockedState(bytes)
    }

    /// A value of the program; it is encoded when its bytes are first asked for.
    public init<Value: Codable & Sendable>(_ value: Value) {
        self.live = Live(value)
        self.encoded = LockedState(nil)
    }

    /// The bytes that are stored: JSON with sorted keys.
    ///
    /// - Throws: ``PayloadError/Code/encodingFailed`` when the value cannot be encoded.
    public var bytes: [UInt8] {
        get throws(PayloadError) {
            if let bytes = self.encoded.withLock({ $0 }) { return bytes }
            guard let live = self.live else { return [] }
            let bytes = try live.encode()
            self.encoded.withLock { $0 = bytes }
            return bytes
        }
    }

    /// The value as a `Value`: as it is where the program made it, decoded where it was stored.
    ///
    /// - Throws: ``PayloadError/Code/malformed`` when the bytes are not a `Value`, or the value cannot be encoded.
    public func decoded<Value: Codable & Sendable>(as type: Value.Type = Value.self) throws(PayloadError) -> Value {
        if let live = self.live as? Live<Value> { return live.value }
        // A step that continues on error gives an optional of what its handler gave.
        if let optional = type as? any OptionalValue.Type, let live = self.live,
            let wrapped = optional.wrapping(live.any), let value = wrapped as? Value
        {
            return value
        }
        return try RunValueCoding.decode(type, from: self.bytes)
    }

    private protocol LiveValue: Sendable {
        var any: any Sendable { get }
        func encode() throws(PayloadError) -> [UInt8]
    }

    private struct Live<Value: Codable & Sendable>: LiveValue {
        let value: Value

        init(_ value: Value) { self.value = value }

        var any: any Sendable { self.value }

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
