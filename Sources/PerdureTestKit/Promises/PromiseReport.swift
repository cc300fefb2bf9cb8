/// What became of one promise.
public enum PromiseVerdict: Sendable, Hashable, Codable {
    /// The store keeps it.
    case kept
    /// The store breaks it.
    case broken(BrokenPromise)
    /// It is about a capability that the store does not have.
    case notOffered(String)
    /// It could not be tested, for the reason given.
    case notTested(String)
}

/// The result of running the suite on a store: prints as a checklist, and is plain data.
public struct PromiseReport: Sendable, Hashable, Codable, CustomStringConvertible {
    /// One promise and what became of it.
    public struct Entry: Sendable, Hashable, Codable {
        /// The promise's number.
        public let number: Int
        /// The promise's name.
        public let name: String
        /// What became of it.
        public let verdict: PromiseVerdict
        /// How long it took, in microseconds.
        public let microseconds: Int64
        /// What else there is to say: that it took a second try to see that the promise is kept, and why.
        public var remark: String?
    }

    /// What was verified.
    public let store: String
    /// The seed, to repeat the run.
    public let seed: UInt64
    /// Every promise, in the order of the suite.
    public let entries: [Entry]
    /// Which contract the promises are of.
    public var contract = Contract.states

    /// A contract that there is a suite for.
    public enum Contract: String, Sendable, Hashable, Codable {
        /// That of ``StateStore``.
        case states
        /// That of ``RunStore``.
        case runs

        func title(ofNumber number: Int) -> String? {
            switch self {
            case .states: StatePromise.title(ofNumber: number)
            case .runs: RunPromise.title(ofNumber: number)
            }
        }
    }

    /// Whether no promise is broken. What was not tested counts for nothing; see ``untested``.
    public var isKept: Bool { self.broken.isEmpty }

    /// The promises that the store breaks.
    public var broken: [BrokenPromise] {
        self.entries.compactMap { if case .broken(let broken) = $0.verdict { broken } else { nil } }
    }

    /// How many promises the store was seen to keep.
    public var keptCount: Int { self.entries.count { $0.verdict == .kept } }

    /// The promises that could not be tested.
    public var untested: [Entry] {
        self.entries.filter { if case .notTested = $0.verdict { true } else { false } }
    }

    /// The promises about capabilities that the store does not have.
    public var notOffered: [Entry] {
        self.entries.filter { if case .notOffered = $0.verdict { true } else { false } }
    }

    /// The checklist: `✓` kept, `✗` broken, `–` not offered or not tested, then the counts.
    public var description: String {
        var lines = ["Promises of \(self.store)"]
        var number: Int?
        for entry in self.entries {
            if entry.number != number {
                number = entry.number
                lines.append("")
                lines.append("\(entry.number). \(self.contract.title(ofNumber: entry.number) ?? "")")
            }
            switch entry.verdict {
            case .kept:
                lines.append("   ✓ \(entry.name)")
                if let remark = entry.remark { lines.append("       \(remark)") }
            case .notOffered(let reason): lines.append("   – \(entry.name): not offered, \(reason)")
            case .notTested(let reason): lines.append("   – \(entry.name): not tested, \(reason)")
            case .broken(let broken):
                lines.append("   ✗ \(entry.name)")
                lines.append("       expected  \(broken.expected)")
                lines.append("       found     \(broken.found)")
                lines.append("       at        \(broken.location)")
            }
        }
        lines.append("")
        lines.append(self.summary)
        return lines.joined(separator: "\n")
    }

    /// The counts and the seed, on one line.
    public var summary: String {
        "\(self.keptCount) kept, \(self.broken.count) broken, \(self.notOffered.count) not offered,"
            + " \(self.untested.count) not tested\(self.secondTries); seed \(self.seed)"
    }

    private var secondTries: String {
        let count = self.entries.count { $0.remark != nil }
        return count == 0 ? "" : ", \(count) at the second try"
    }

    /// The report as one JSON object on one line, for other programs.
    ///
    /// `contract` (`states`, `runs`), `store`, `seed` (as text: it has 64 bits), `kept`, `broken`, `notOffered`, `notTested` (counts), and
    /// `promises`, each with `number`, `title` (what promises of this number are about), `name`, `verdict` (`kept`, `broken`,
    /// `notOffered`, `notTested`), `microseconds`, and as it applies `reason`, or `expected`, `found` and `location`, or `remark`.
    public var json: String {
        object([
            ("contract", quote(self.contract.rawValue)), ("store", quote(self.store)), ("seed", quote("\(self.seed)")),
            ("kept", "\(self.keptCount)"), ("broken", "\(self.broken.count)"),
            ("notOffered", "\(self.notOffered.count)"), ("notTested", "\(self.untested.count)"),
            ("promises", "[\(self.entries.map { object(self.fields(of: $0)) }.joined(separator: ","))]"),
        ])
    }

    /// The promises as JSON objects, each for a line of its own: as in ``json``, with contract and seed.
    package var jsonLines: [String] {
        self.entries.map { entry in
            object(
                [("contract", quote(self.contract.rawValue))] + self.fields(of: entry)
                    + [("seed", quote("\(self.seed)"))])
        }
    }

    private func fields(of entry: Entry) -> [(String, String)] {
        var fields: [(String, String)] = [
            ("number", "\(entry.number)"), ("title", quote(self.contract.title(ofNumber: entry.number) ?? "")),
            ("name", quote(entry.name)),
        ]
        switch entry.verdict {
        case .kept: fields.append(("verdict", quote("kept")))
        case .notOffered(let reason):
            fields += [("verdict", quote("notOffered")), ("reason", quote(reason))]
        case .notTested(let reason):
            fields += [("verdict", quote("notTested")), ("reason", quote(reason))]
        case .broken(let broken):
            fields += [
                ("verdict", quote("broken")), ("expected", quote(broken.expected)), ("found", quote(broken.found)),
                ("location", quote(broken.location)),
            ]
        }
        if let remark = entry.remark { fields.append(("remark", quote(remark))) }
        return fields + [("microseconds", "\(entry.microseconds)")]
    }
}

private func object(_ fields: [(String, String)]) -> String {
    "{" + fields.map { "\(quote($0.0)):\($0.1)" }.joined(separator: ",") + "}"
}

/// A JSON string: quotes, backslashes and control characters escaped, everything else as UTF-8.
private func quote(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}
