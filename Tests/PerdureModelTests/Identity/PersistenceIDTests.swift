import PerdureModel
import Testing

@Suite struct PersistenceIDTests {
    @Test(arguments: ["a", "ada#1", "a/b", "\"'`", "🛩️", String(repeating: "x", count: 255), " "])
    func welcomes(_ id: String) {
        #expect(PersistenceID.violation(in: id) == nil)
    }

    @Test func namesTheRuleThatIsBroken() {
        #expect(PersistenceID.violation(in: "") == "a persistence ID must not be empty")
        #expect(
            PersistenceID.violation(in: String(repeating: "é", count: 128))
                == "a persistence ID has at most 255 bytes of UTF-8, this one has 256")
        #expect(PersistenceID.violation(in: "a\0b") == "a persistence ID must not contain NUL (U+0000)")
    }

    /// Published vectors of FNV-1a, 64 bit.
    @Test func shardsAreStable() {
        #expect(PersistenceID.shard(of: "a", among: .max) == 0xaf63_dc4c_8601_ec8c)
        #expect(PersistenceID.shard(of: "foobar", among: .max) == 0x8594_4171_f739_67e8)
        #expect(PersistenceID.shard(of: "foobar", among: 1) == 0)
    }
}
