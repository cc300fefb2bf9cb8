internal import PerdureModel
internal import PerdureWorkflow

/// All items of one run, as one or more pages of its partition have them.
///
/// The pages are not of one moment, and a transaction that is just being carried out may be seen in part. ``isWhole`` tells: each
/// item says with which revision it was written, and the run how many were written with its own.
struct RunPartition {
    let row: RunRow
    /// The run's own item.
    let run: Item
    private var values = RunValueReader()
    /// Steps, outputs and states by their sort keys, each in its latest revision; those in packs included.
    private var records: [IDKey: Item] = [:]
    private(set) var packs: [Item] = []
    private(set) var messages: [Item] = []
    private var newest: UInt64 = 0
    private var partCount = 0

    /// Reads the items of a partition; nil when there is no run.
    init?(_ items: [Item]) throws(AnswerFlaw) {
        let found = items.first { item in
            guard let sort = item.text(RunAttribute.sort), sort.utf8.starts(with: "RUN#".utf8) else { return false }
            return item.text(RunAttribute.partition)?.utf8.elementsEqual(sort.utf8) ?? false
        }
        guard let run = found else { return nil }
        self.run = run
        self.row = try RunRow(run, isSparse: true)
        let revision = self.row.progress.revision
        for item in items where item[RunAttribute.life]?.bytes == self.row.life {
            guard let sort = item.text(RunAttribute.sort), let hash = sort.utf8.firstIndex(of: UInt8(ascii: "#")) else {
                continue
            }
            let kind = String(sort[..<hash])
            if kind == "RUN" { continue }
            if let number = item.count(RunAttribute.revision) {
                self.newest = max(self.newest, number)
                if number == revision { self.partCount += 1 }
            }
            switch kind {
            case "CHUNK": self.values.add(item)
            case "MESSAGE": self.messages.append(item)
            case "PACK":
                self.packs.append(item)
                for record in RunItems.records(of: item) { self.add(record) }
            case "STEP", "OUTPUT", "STATE", "PAST": self.add(item)
            default: break
            }
        }
    }

    private mutating func add(_ record: Item) {
        guard let sort = record.text(RunAttribute.sort) else { return }
        let key = IDKey(sort)
        if let other = self.records[key]?.count(RunAttribute.revision),
            other > record.count(RunAttribute.revision) ?? 0
        {
            return
        }
        self.records[key] = record
    }

    /// Whether these are all items of the run as it was at one moment.
    var isWhole: Bool {
        self.newest <= self.row.progress.revision && self.partCount == self.row.parts
            && UInt64(self.messages.count) == self.row.inboxCount
    }

    func record(_ sort: String) -> Item? { self.records[IDKey(sort)] }

    /// Records of one kind, in no particular order.
    func records(_ kinds: String...) -> [Item] {
        self.records.filter { key, _ in kinds.contains { key.id.utf8.starts(with: ($0 + "#").utf8) } }.map(\.value)
    }

    /// What a step put into the shared state, each record where it stands.
    var states: [Item] {
        var latest: [[IDKey]: Item] = [:]
        for item in self.records("STATE", "PAST") {
            let key = [IDKey(item.text("key") ?? ""), IDKey(item.text("step_id") ?? "")]
            if let other = latest[key]?.count(RunAttribute.revision), other > item.count(RunAttribute.revision) ?? 0 {
                continue
            }
            latest[key] = item
        }
        return Array(latest.values)
    }

    func snapshot() throws(AnswerFlaw) -> RunSnapshot {
        var snapshot = RunSnapshot(
            run: try RunRow(self.run, self.values).record, steps: [], state: [], messages: [])
        for item in self.records("STEP") {
            let output = self.record(RunKey.output(item.text("step_id") ?? ""))
            snapshot.steps.append(try StepRecord(item, output: output, self.values))
        }
        for item in self.states {
            snapshot.state.append(
                StateRecord(
                    key: item.text("key") ?? "", step: item.text("step_id") ?? "",
                    value: try self.values.value("value", in: item)))
        }
        for item in self.messages { snapshot.messages.append(try RunMessage(item, self.values)) }
        snapshot.steps.sort { $0.comes(before: $1) }
        snapshot.messages.sort { $0.number < $1.number }
        return snapshot
    }
}
