internal import PerdureModel

/// A type whose values can be unacceptable.
///
/// A step that is given one checks it before the first attempt. An unacceptable input fails the step with ``RunFailure/Code/validation``; it is never tried again. Lists, optionals and the outputs
/// of a fork are checked element by element.
public protocol Validatable {
    /// Throws when the value is not acceptable: best a ``ValidationError``, of which the reason is recorded.
    func validate() throws
}

/// Why an input was refused.
///
/// The reason is a text of the program's source, so that nothing of the refused value can get into logs and stores.
public struct ValidationError: Error, Sendable, Hashable {
    /// What an input must be, in words.
    public let reason: String

    /// An error with the reason in words, such as `"an order has at least one line"`.
    public init(_ reason: StaticString) { self.reason = "\(reason)" }

    /// What becomes of an error of another type, whose text might quote the value.
    init(_ error: any Error) {
        self = error as? ValidationError ?? ValidationError(type: type(of: error))
    }

    private init(type: any Error.Type) { self.reason = "an error of the type \(StoredTypeName.of(type))" }
}

extension Optional: Validatable where Wrapped: Validatable {
    /// Checks the value if there is one.
    public func validate() throws { try self?.validate() }
}

extension Array: Validatable where Element: Validatable {
    /// Checks each element.
    public func validate() throws { for element in self { try element.validate() } }
}

enum Validation {
    /// The check that inputs of a type ask for themselves; nil where they do not.
    static func automatic<Input: Codable & Sendable>(
        of type: Input.Type
    ) -> (@Sendable (RunValue) throws -> Void)? {
        guard Self.isChecked(type) else { return nil }
        return { value in
            let input: Input = try value.decoded()
            do { try Self.check(input) } catch { throw ValidationError(error) }
        }
    }

    /// One check after another.
    static func both<Input: Codable & Sendable>(
        _ first: (@Sendable (RunValue) throws -> Void)?, _ check: @escaping @Sendable (Input) throws -> Void
    ) -> @Sendable (RunValue) throws -> Void {
        { value in
            try first?(value)
            let input: Input = try value.decoded()
            do { try check(input) } catch { throw ValidationError(error) }
        }
    }

    static func isChecked(_ type: Any.Type) -> Bool {
        if let outputs = type as? any ForkOutputs.Type { return outputs.types.contains { Self.isChecked($0) } }
        return type is any Validatable.Type
    }

    static func check(_ value: Any) throws {
        if let outputs = value as? any ForkOutputs {
            for output in outputs.values { try Self.check(output) }
        } else {
            try (value as? any Validatable)?.validate()
        }
    }
}
