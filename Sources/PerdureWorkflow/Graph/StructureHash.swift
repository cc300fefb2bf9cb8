/// The structure of definitions as numbers: FNV-1a (64 bit).
///
/// The numbers are stored with runs. They must never change for a definition that has not: not with releases, machines or processes.
enum StructureHash {
    /// The structure of each node and of all before it.
    static func hashes(of nodes: [Node], inputType: String) -> [UInt64] {
        var entry = FNV1a()
        entry.combine("input")
        entry.combine(inputType)
        var hashes: [UInt64] = []
        for node in nodes {
            var hash = FNV1a()
            hash.combine(node.kind.structure)
            hash.combine(node.name)
            hash.combine(node.outputType)
            for input in node.inputs {
                hash.combine(hashes.indices.contains(input) ? hashes[input] : entry.value)
            }
            hashes.append(hash.value)
        }
        return hashes
    }

    /// The structure of the whole.
    static func hash(of hashes: [UInt64], exit: Int) -> UInt64 {
        var hash = FNV1a()
        for node in hashes { hash.combine(node) }
        hash.combine(UInt64(bitPattern: Int64(exit)))
        return hash.value
    }
}

extension Node.Kind {
    /// What of it belongs to the structure.
    ///
    /// How long it sleeps and how many it does at once do not.
    fileprivate var structure: String {
        switch self {
        case .step: "step"
        case .gather: "gather"
        case .sleep: "sleep"
        case .signal(let waiting): "signal \(waiting.name)"
        case .child(let graph): "child \(graph.name)"
        case .loop: "loop"
        }
    }
}

private struct FNV1a {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func combine(_ text: String) {
        for byte in text.utf8 { self.combine(byte) }
        // No byte of UTF-8: two texts in a row are never two others.
        self.combine(0xff as UInt8)
    }

    mutating func combine(_ number: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { self.combine(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
    }

    private mutating func combine(_ byte: UInt8) {
        self.value = (self.value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
}
