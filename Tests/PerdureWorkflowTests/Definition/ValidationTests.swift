import Testing

@testable import PerdureWorkflow

@Suite("Validation")
struct ValidationTests {
    struct Secretive: Error, CustomStringConvertible { var description: String { "secret" } }

    struct Age: Codable, Sendable, Hashable, Validatable {
        var years: Int
        func validate() throws {
            if self.years < 0 { throw ValidationError("an age is not negative") }
            if self.years > 200 { throw Secretive() }
        }
    }

    @Test("an input of a type that can be unacceptable is checked")
    func automatic() {
        #expect(Self.refusal(of: Age(years: 5)) == nil)
        #expect(Self.refusal(of: Age(years: -5)) == "an age is not negative")
    }

    @Test("of other errors only the type is told: their text might quote the value")
    func secrets() {
        #expect(Self.refusal(of: Age(years: 300)) == "an error of the type ValidationTests.Secretive")
    }

    @Test("lists, optionals and the outputs of forks are checked element by element")
    func elements() {
        let (good, bad) = (Age(years: 1), Age(years: -1))
        #expect(Self.refusal(of: [good, good]) == nil)
        #expect(Self.refusal(of: [good, bad]) == "an age is not negative")
        #expect(Self.refusal(of: Age?.none) == nil)
        #expect(Self.refusal(of: Age?.some(bad)) == "an age is not negative")
        #expect(Self.refusal(of: Outputs2(1, bad)) == "an age is not negative")
        #expect(Self.refusal(of: Outputs3(1, "x", [bad])) == "an age is not negative")
        #expect(Self.refusal(of: Outputs2(Outputs2(1, bad), 2)) == "an age is not negative")
        #expect(Self.refusal(of: Outputs4(1, 2, 3, bad)) == "an age is not negative")
        #expect(Self.refusal(of: Outputs5(1, 2, 3, 4, bad)) == "an age is not negative")
        #expect(Self.refusal(of: Outputs6(1, 2, 3, 4, good, bad)) == "an age is not negative")
        #expect(Self.refusal(of: Outputs6(1, 2, 3, 4, good, good)) == nil)
    }

    @Test("types that cannot be unacceptable cost nothing")
    func none() {
        #expect(Step("a") { (i: Int) in i }.node.settings.validation == nil)
        #expect(Step("a") { (i: Outputs2<Int, String>) in i }.node.settings.validation == nil)
    }

    @Test("checks of a step's own come after those of the type, all of them")
    func own() throws {
        let step = Step("a") { (age: Age) in age }
            .validate { if $0.years > 100 { throw ValidationError("too old") } }
            .validate { if $0.years > 50 { throw ValidationError("old") } }
        let validation = try #require(step.node.settings.validation)
        #expect(throws: ValidationError("an age is not negative")) { try validation(RunValue(Age(years: -1))) }
        #expect(throws: ValidationError("too old")) { try validation(RunValue(Age(years: 101))) }
        #expect(throws: ValidationError("old")) { try validation(RunValue(Age(years: 51))) }
        try validation(RunValue(Age(years: 50)))
    }

    /// Why a step does not take an input; as the program has it and as it is read from a store.
    private static func refusal<Input: Codable & Sendable>(of input: Input) -> String? {
        guard let validation = Step("a", { (_: Input) in }).node.settings.validation else { return "not checked" }
        func refusal(of value: RunValue) -> String? {
            do {
                try validation(value)
                return nil
            } catch {
                return (error as? ValidationError)?.reason ?? "another error: \(error)"
            }
        }
        let live = refusal(of: RunValue(input))
        let stored = (try? RunValue(input).bytes).flatMap { refusal(of: RunValue(bytes: $0)) }
        return live == stored ? live : "\(live ?? "nil") is not \(stored ?? "nil")"
    }
}
