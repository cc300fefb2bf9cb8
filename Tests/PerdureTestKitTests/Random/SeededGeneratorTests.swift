import PerdureTestKit
import Testing

@Suite struct SeededGeneratorTests {
    /// The reference sequence of SplitMix64 for the seed 1234567.
    @Test func givesTheReferenceSequence() {
        var generator = SeededGenerator(seed: 1_234_567)
        let numbers = (0..<5).map { _ in generator.next() }
        #expect(
            numbers == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test func givesStreamsOfTheirOwn() {
        var first = SeededGenerator(seed: 7, stream: 0)
        var again = SeededGenerator(seed: 7, stream: 0)
        var second = SeededGenerator(seed: 7, stream: 1)
        let (bytes, sameBytes, otherBytes) = (first.bytes(32), again.bytes(32), second.bytes(32))
        #expect(bytes == sameBytes)
        #expect(bytes != otherBytes)
    }

    @Test(arguments: [0, 1, 7, 8, 9, 1_000])
    func givesAsManyBytesAsAskedFor(count: Int) {
        var generator = SeededGenerator(seed: 1)
        let bytes = generator.bytes(count)
        #expect(bytes.count == count)
        if count == 1_000 { #expect(Set(bytes).count > 200) }
    }

    @Test func keepsToTheProbability() {
        var generator = SeededGenerator(seed: 3)
        func hits(of probability: Double) -> Int { (0..<10_000).count { _ in generator.chance(probability) } }
        #expect((2_300...2_700).contains(hits(of: 0.25)))
        #expect(hits(of: 0) == 0)
        #expect(hits(of: 1) == 10_000)
    }
}
