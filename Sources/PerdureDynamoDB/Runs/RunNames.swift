internal import PerdureCrypto
internal import PerdureModel
internal import PerdureWorkflow

/// The table's two indexes.
enum RunIndex: String, CaseIterable, Sendable {
    /// By workflow.
    case workflow = "GSI1"
    /// By status.
    case status = "GSI2"

    var partitionKey: String { self.rawValue + "PK" }
    var sortKey: String { self.rawValue + "SK" }
}

/// The names of the attributes that more than one file speaks of.
enum RunAttribute {
    static let partition = "PK"
    static let sort = "SK"
    static let entity = "entity_type"
    static let runID = "run_id"
    static let ttl = "ttl"
    /// Which life of its ID a run's item belongs to: what a deletion left behind is no part of a new run.
    static let life = "life"
    /// The run's revision with which an item was written.
    static let revision = "revision"
    static let writeID = "write_id"
    static let status = "status"
    static let fence = "fence"
    static let inboxCount = "inbox_count"
}

/// The keys of a run's partition.
enum RunKey {
    static func partition(_ runID: String) -> String { "RUN#" + runID }
    static func run(_ runID: String) -> Item { self.key(self.partition(runID), self.partition(runID)) }
    static func step(_ id: String) -> String { KeyText.fitting("STEP#", id) }
    static func output(_ id: String) -> String { KeyText.fitting("OUTPUT#", id) }
    /// The value that a key of the shared state has now.
    static func state(_ key: String) -> String { KeyText.fitting("STATE#", key) }
    /// What a step set a key to before another step did.
    static func past(_ key: String, by step: String) -> String {
        KeyText.fitting("PAST#\(key.utf8.count)#", key + "#" + step)
    }
    static func message(_ id: String) -> String { "MESSAGE#" + id }
    static func pack(_ revision: UInt64, _ number: Int) -> String {
        "PACK#" + KeyText.digits(revision) + "#" + KeyText.digits(UInt64(number))
    }
    static func chunk(_ set: String, _ number: Int) -> String {
        "CHUNK#" + set + "#" + KeyText.digits(UInt64(number))
    }

    static func key(_ partition: String, _ sort: String) -> Item {
        [RunAttribute.partition: .string(partition), RunAttribute.sort: .string(sort)]
    }

    static func key(of item: Item) -> Item {
        self.key(item[RunAttribute.partition]?.text ?? "", item[RunAttribute.sort]?.text ?? "")
    }
}

/// Texts in keys: of bounded length, and sorting as what they stand for.
enum KeyText {
    /// A key may have 1,024 bytes; a name that is longer than this is shortened, and told from others by a hash of the whole.
    static let longest = 800

    /// A prefix and a name; the name itself unless it is too long for a key.
    static func fitting(_ prefix: String, _ name: String) -> String {
        guard name.utf8.count > Self.longest else { return prefix + name }
        let buffer = ByteBuffer()
        SHA256.hash(Array(name.utf8)).withUnsafeBytes { buffer.append(hex: $0) }
        // Longer than any name that is not shortened, so that none can be taken for the other.
        let head = String(decoding: Array(name.utf8.prefix(Self.longest)), as: UTF8.self)
        return prefix + head + "#" + String(decoding: buffer.bytes, as: UTF8.self)
    }

    /// All 20 digits of a number.
    static func digits(_ number: UInt64) -> String {
        let text = String(number)
        return String(repeating: "0", count: 20 - text.utf8.count) + text
    }

    /// Higher priorities sort first.
    static func digits(descending priority: Int) -> String {
        Self.digits(UInt64.max - Self.ordered(Int64(priority)))
    }

    private static func ordered(_ number: Int64) -> UInt64 { UInt64(bitPattern: number) ^ (1 << 63) }

    /// What sorts just after every text that goes on after `text` and a `#`.
    static func after(_ text: String) -> String { text + "$" }

    // MARK: Times

    private static let years = -62_167_219_200_000...253_402_300_799_999

    /// A time in Unix milliseconds as RFC 3339 in UTC, always with 24 letters: texts sort as times do.
    ///
    /// What no such text can say, before the year 0 and after 9999, is a sign that sorts before or after all digits, and a number.
    static func time(_ milliseconds: Int64) -> String {
        guard Self.years.contains(Int(milliseconds)) else {
            return (milliseconds < 0 ? "!" : "~") + Self.digits(Self.ordered(milliseconds))
        }
        let (second, part) = Self.divide(milliseconds, by: 1_000)
        let (day, time) = Self.divide(second, by: 86_400)
        let date = SigningTime.date(ofDay: day)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        func padded(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        return "\(padded(date.year, 4))-\(two(Int64(date.month)))-\(two(Int64(date.day)))"
            + "T\(two(time / 3_600)):\(two(time / 60 % 60)):\(two(time % 60)).\(padded(Int(part), 3))Z"
    }

    /// Reads what ``time(_:)`` wrote; nil for anything else.
    static func milliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        if bytes.first == UInt8(ascii: "!") || bytes.first == UInt8(ascii: "~") {
            return UInt64(text.dropFirst()).map { Int64(bitPattern: $0 ^ (1 << 63)) }
        }
        // Others may write whole seconds.
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"), bytes[4] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: "T")
        else { return nil }
        func number(_ range: Range<Int>) -> Int? { Int(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var part = 0
        if bytes.count > 21 {
            let digits = bytes[20..<(bytes.count - 1)].prefix(3)
            guard let value = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
            part = digits.count == 3 ? value : digits.count == 2 ? value * 10 : value * 100
        }
        let days = SigningTime.day(year: year, month: month, day: day)
        return (days * 86_400 + Int64(hour * 3_600 + minute * 60 + second)) * 1_000 + Int64(part)
    }

    /// Rounded down, also below zero.
    private static func divide(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
        let rest = ((value % divisor) + divisor) % divisor
        return ((value - rest) / divisor, rest)
    }

    /// The place of a run in listings: chronological, runs of one time by ID.
    static func place(_ createdAt: Int64, _ runID: String) -> String { Self.time(createdAt) + "#" + runID }

    static func place(_ text: String) -> RunPlace? {
        guard let hash = text.utf8.firstIndex(of: UInt8(ascii: "#")),
            let time = Self.milliseconds(String(text[..<hash]))
        else { return nil }
        return RunPlace(createdAt: time, id: String(text[text.utf8.index(after: hash)...]))
    }
}
