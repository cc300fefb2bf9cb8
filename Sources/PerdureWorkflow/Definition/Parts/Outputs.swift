/// The outputs of a fork's branches, whatever their types.
protocol ForkOutputs {
    static var types: [Any.Type] { get }
    var values: [Any] { get }
}

/// The outputs of a fork of two branches, in the order of declaration.
public struct Outputs2<A: Sendable, B: Sendable>: Sendable {
    /// The output of the first branch.
    public var first: A
    /// The output of the second branch.
    public var second: B

    /// Puts outputs together.
    public init(_ first: A, _ second: B) {
        self.first = first
        self.second = second
    }
}

extension Outputs2: Encodable where A: Encodable, B: Encodable {}
extension Outputs2: Decodable where A: Decodable, B: Decodable {}
extension Outputs2: Equatable where A: Equatable, B: Equatable {}
extension Outputs2: Hashable where A: Hashable, B: Hashable {}

extension Outputs2: ForkOutputs {
    static var types: [Any.Type] { [A.self, B.self] }
    var values: [Any] { [self.first, self.second] }
}

/// The outputs of a fork of three branches, in the order of declaration.
public struct Outputs3<A: Sendable, B: Sendable, C: Sendable>: Sendable {
    /// The output of the first branch.
    public var first: A
    /// The output of the second branch.
    public var second: B
    /// The output of the third branch.
    public var third: C

    /// Puts outputs together.
    public init(_ first: A, _ second: B, _ third: C) {
        self.first = first
        self.second = second
        self.third = third
    }
}

extension Outputs3: Encodable where A: Encodable, B: Encodable, C: Encodable {}
extension Outputs3: Decodable where A: Decodable, B: Decodable, C: Decodable {}
extension Outputs3: Equatable where A: Equatable, B: Equatable, C: Equatable {}
extension Outputs3: Hashable where A: Hashable, B: Hashable, C: Hashable {}

extension Outputs3: ForkOutputs {
    static var types: [Any.Type] { [A.self, B.self, C.self] }
    var values: [Any] { [self.first, self.second, self.third] }
}

/// The outputs of a fork of four branches, in the order of declaration.
public struct Outputs4<A: Sendable, B: Sendable, C: Sendable, D: Sendable>: Sendable {
    /// The output of the first branch.
    public var first: A
    /// The output of the second branch.
    public var second: B
    /// The output of the third branch.
    public var third: C
    /// The output of the fourth branch.
    public var fourth: D

    /// Puts outputs together.
    public init(_ first: A, _ second: B, _ third: C, _ fourth: D) {
        self.first = first
        self.second = second
        self.third = third
        self.fourth = fourth
    }
}

extension Outputs4: Encodable where A: Encodable, B: Encodable, C: Encodable, D: Encodable {}
extension Outputs4: Decodable where A: Decodable, B: Decodable, C: Decodable, D: Decodable {}
extension Outputs4: Equatable where A: Equatable, B: Equatable, C: Equatable, D: Equatable {}
extension Outputs4: Hashable where A: Hashable, B: Hashable, C: Hashable, D: Hashable {}

extension Outputs4: ForkOutputs {
    static var types: [Any.Type] { [A.self, B.self, C.self, D.self] }
    var values: [Any] { [self.first, self.second, self.third, self.fourth] }
}

/// The outputs of a fork of five branches, in the order of declaration.
public struct Outputs5<A: Sendable, B: Sendable, C: Sendable, D: Sendable, E: Sendable>: Sendable {
    /// The output of the first branch.
    public var first: A
    /// The output of the second branch.
    public var second: B
    /// The output of the third branch.
    public var third: C
    /// The output of the fourth branch.
    public var fourth: D
    /// The output of the fifth branch.
    public var fifth: E

    /// Puts outputs together.
    public init(_ first: A, _ second: B, _ third: C, _ fourth: D, _ fifth: E) {
        self.first = first
        self.second = second
        self.third = third
        self.fourth = fourth
        self.fifth = fifth
    }
}

extension Outputs5: Encodable where A: Encodable, B: Encodable, C: Encodable, D: Encodable, E: Encodable {}
extension Outputs5: Decodable where A: Decodable, B: Decodable, C: Decodable, D: Decodable, E: Decodable {}
extension Outputs5: Equatable where A: Equatable, B: Equatable, C: Equatable, D: Equatable, E: Equatable {}
extension Outputs5: Hashable where A: Hashable, B: Hashable, C: Hashable, D: Hashable, E: Hashable {}

extension Outputs5: ForkOutputs {
    static var types: [Any.Type] { [A.self, B.self, C.self, D.self, E.self] }
    var values: [Any] { [self.first, self.second, self.third, self.fourth, self.fifth] }
}

/// The outputs of a fork of six branches, in the order of declaration.
public struct Outputs6<A: Sendable, B: Sendable, C: Sendable, D: Sendable, E: Sendable, F: Sendable>: Sendable {
    /// The output of the first branch.
    public var first: A
    /// The output of the second branch.
    public var second: B
    /// The output of the third branch.
    public var third: C
    /// The output of the fourth branch.
    public var fourth: D
    /// The output of the fifth branch.
    public var fifth: E
    /// The output of the sixth branch.
    public var sixth: F

    /// Puts outputs together.
    public init(_ first: A, _ second: B, _ third: C, _ fourth: D, _ fifth: E, _ sixth: F) {
        self.first = first
        self.second = second
        self.third = third
        self.fourth = fourth
        self.fifth = fifth
        self.sixth = sixth
    }
}

extension Outputs6: Encodable where A: Encodable, B: Encodable, C: Encodable, D: Encodable, E: Encodable, F: Encodable {
}
extension Outputs6: Decodable where A: Decodable, B: Decodable, C: Decodable, D: Decodable, E: Decodable, F: Decodable {
}
extension Outputs6: Equatable where A: Equatable, B: Equatable, C: Equatable, D: Equatable, E: Equatable, F: Equatable {
}
extension Outputs6: Hashable where A: Hashable, B: Hashable, C: Hashable, D: Hashable, E: Hashable, F: Hashable {}

extension Outputs6: ForkOutputs {
    static var types: [Any.Type] { [A.self, B.self, C.self, D.self, E.self, F.self] }
    var values: [Any] { [self.first, self.second, self.third, self.fourth, self.fifth, self.sixth] }
}
