import Testing

@testable import PerdureModel

struct Outer {
    struct Inner {}
    struct Box<Content> { struct Lid {} }
}

extension Array where Element == Outer { struct Page {} }

private enum Hidden { struct State {} }

@Suite struct StoredTypeNameTests {
    @Test func namesTheEnclosingTypesAndNoModule() {
        #expect(StoredTypeName.of(Outer.self) == "Outer")
        #expect(StoredTypeName.of(Outer.Inner.self) == "Outer.Inner")
        #expect(StoredTypeName.of(Int.self) == "Int")
        #expect(StoredTypeName.of([String: Outer.Inner?].self) == "Dictionary<String,Optional<Outer.Inner>>")
        #expect(StoredTypeName.of(Outer.Box<Outer.Inner>.Lid.self) == "Outer.Box<Outer.Inner>.Lid")
    }

    /// The runtime gives the address of a private or local scope, which changes with every build.
    @Test func namesNoAddress() {
        struct Local { struct State {} }
        #expect(StoredTypeName.of(Hidden.State.self) == "Hidden.State")
        #expect(StoredTypeName.of(Local.self) == "StoredTypeNameTests.Local")
        #expect(StoredTypeName.of(Local.State.self) == "StoredTypeNameTests.Local.State")
        #expect(StoredTypeName.of(Outer.Box<Local>.self) == "Outer.Box<StoredTypeNameTests.Local>")
    }

    @Test(arguments: [
        ("Bank.BankAccount.State", "BankAccount.State"), ("State", "State"),
        ("Bank.(unknown context at $7f0a).State", "State"),
        ("Bank.Outer.(unknown context at $7f0a).State", "Outer.State"),
        ("(extension in Bank):Swift.Array<Bank.Item>.Page", "Array<Item>.Page"),
        ("A.Pair<B.Key, C.Box<D.Value>>.E", "Pair<Key,Box<Value>>.E"), ("Bänk.Köntö.Zustand", "Köntö.Zustand"),
        ("", ""), ("(", ""), ("()", ""), ("<<<", "<<<"), ("a.", ""), (".", "."),
    ])
    func readsTheRuntimesForms(_ reflected: String, _ name: String) {
        #expect(StoredTypeName.withoutModules(reflected) == name)
    }

    @Test func aTypeWhoseNameIsTooLongSaysSoInsteadOfStoring() throws {
        typealias Ten<T> = Outer.Box<Outer.Box<Outer.Box<Outer.Box<Outer.Box<Outer.Box<Outer.Box<Outer.Box<T>>>>>>>>
        struct Long<T>: Codable, Sendable {}
        let codec = JSONStateCodec<Long<Ten<Ten<Ten<Ten<Int>>>>>>()
        let error = payloadError { try codec.encode(Long()) }
        #expect(error?.code == .misconfigured)
        #expect(error?.message.hasSuffix("give one with JSONStateCodec(name:version:)") == true)
        #expect(payloadError { try codec.decode(StatePayload(manifest: "", bytes: [])) }?.code == .misconfigured)
    }
}
