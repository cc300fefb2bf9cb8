/// The name under which states of a type are stored unless someone chooses another.
package enum StoredTypeName {
    /// The name of a type with the types that enclose it, without modules: `BankAccount.State`.
    package static func of(_ type: Any.Type) -> String { self.withoutModules(String(reflecting: type)) }

    /// Takes out of the runtime's `Bank.BankAccount<Swift.Int>.State` what may differ between two builds of the same program.
    ///
    /// That is the modules (a type may move), the place of a private or local type (`(unknown context at $7f…)`, an address),
    /// and blanks.
    static func withoutModules(_ reflected: String) -> String {
        let text = Array(reflected.utf8)
        var name: [UInt8] = []
        var index = 0
        // Whether the next component may be a module: at the beginning, and of each generic argument.
        var atPathStart = true
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "("):
                // `(extension in M):` comes before a path, `(unknown context at $…).` within one.
                while index < text.count, text[index] != UInt8(ascii: ")") { index += 1 }
                index += 1
                if index < text.count, text[index] == UInt8(ascii: ".") || text[index] == UInt8(ascii: ":") {
                    atPathStart = text[index] == UInt8(ascii: ":")
                    index += 1
                }
            case UInt8(ascii: "<"), UInt8(ascii: ","):
                name.append(text[index])
                index += 1
                atPathStart = true
            case UInt8(ascii: " "), UInt8(ascii: ":"):
                index += 1
            case UInt8(ascii: ">"), UInt8(ascii: "."):
                name.append(text[index])
                index += 1
                atPathStart = false
            default:
                let start = index
                while index < text.count, !Self.structure.contains(text[index]) { index += 1 }
                if atPathStart, index < text.count, text[index] == UInt8(ascii: ".") {
                    index += 1
                } else {
                    name += text[start..<index]
                }
                atPathStart = false
            }
        }
        return String(decoding: name, as: UTF8.self)
    }

    private static let structure = Array("(<,> .:".utf8)
}
