import PerdureModel
import PerdureWorkflow
import Testing

@Suite("Values of runs")
struct RunValueTests {
    struct Point: Codable, Sendable, Hashable {
        var y = 2
        var x = 1
    }

    @Test("a value is JSON with sorted keys")
    func bytes() throws {
        #expect(try RunValue(Point()).bytes == Array(#"{"x":1,"y":2}"#.utf8))
        #expect(try RunValue("a/b").bytes == Array(#""a/b""#.utf8))
        #expect(try RunValue(Int?.none).bytes == Array("null".utf8))
        #expect(try RunValue(bytes: Array("1".utf8)).decoded(as: Int.self) == 1)
    }

    @Test("a value becomes an optional of itself, live as well as stored")
    func optionals() throws {
        let value = RunValue(5)
        #expect(try value.decoded(as: Int?.self) == 5)
        #expect(try RunValue(bytes: value.bytes).decoded(as: Int?.self) == 5)
        #expect(try RunValue(bytes: Array("null".utf8)).decoded(as: Int?.self) == nil)
        #expect(try RunValue(Int?.some(5)).decoded(as: Int.self) == 5)
        #expect(try RunValue(Int?.none).decoded(as: Int?.self) == nil)
    }

    @Test("a live value of another type is read from its JSON")
    func otherType() throws {
        struct Wide: Codable { var x: Double }
        #expect(try RunValue(Point()).decoded(as: Wide.self).x == 1)
        #expect(throws: PayloadError.self) { try RunValue(Point()).decoded(as: Int.self) }
        #expect(throws: PayloadError.self) { try RunValue(Point()).decoded(as: Int?.self) }
    }

    @Test("a value is encoded once")
    func once() throws {
        final class Counter: Sendable {
            nonisolated(unsafe) var count = 0
        }
        struct Counted: Codable, Sendable {
            static let counter = Counter()
            func encode(to encoder: any Encoder) throws {
                Self.counter.count += 1
                var container = encoder.singleValueContainer()
                try container.encode(1)
            }
            init() {}
            init(from decoder: any Decoder) throws {}
        }
        let value = RunValue(Counted())
        _ = try (value.bytes, value.bytes)
        #expect(Counted.counter.count == 1)
    }

    @Test("what cannot be JSON is refused, and says so without the value")
    func refused() {
        do {
            _ = try RunValue([Double.nan]).bytes
            Issue.record("NaN is no JSON")
        } catch {
            #expect(error.code == .encodingFailed)
        }
    }

    @Test("outputs of forks are kept with their places")
    func outputs() throws {
        #expect(try RunValue(Outputs2(1, "b")).bytes == Array(#"{"first":1,"second":"b"}"#.utf8))
        let six = Outputs6(1, "b", [3], Int?.none, 5.5, Outputs3(true, false, true))
        #expect(try RunValue(bytes: RunValue(six).bytes).decoded(as: type(of: six)) == six)
        let many = Outputs5(1, 2, 3, 4, 5)
        #expect(try RunValue(bytes: RunValue(many).bytes).decoded(as: type(of: many)) == many)
        let four = Outputs4("1", 2, 3, Outputs2(1, 2))
        #expect(try RunValue(bytes: RunValue(four).bytes).decoded(as: type(of: four)) == four)
        #expect(Set([Outputs2(1, 2), Outputs2(1, 2), Outputs2(2, 1)]).count == 2)
    }
}
