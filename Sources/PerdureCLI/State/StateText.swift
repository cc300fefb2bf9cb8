internal import PerdureState

/// A state as a person can read it.
struct StateText {
    private let output: Output
    private let display: PayloadDisplay

    init(_ output: Output, _ display: PayloadDisplay) {
        self.output = output
        self.display = display
    }

    func write(_ state: DurableState) {
        let rows = [
            ("id", state.persistenceID), ("version", "\(state.version)"), ("manifest", state.payload.manifest),
            ("written", state.timestamp == 0 ? "unknown" : UTCTime(state.timestamp).text), ("shard", "\(state.shard)"),
            ("size", "\(state.payload.bytes.count) bytes"),
        ]
        for (name, value) in rows {
            let padding = String(repeating: " ", count: 10 - name.count)
            self.output.line(self.output.styled(name, .dim) + padding + value)
        }
        self.output.line()
        switch self.display.text(of: state.payload) {
        case .json(let text): self.output.line(text)
        case .hex(let lines): for line in lines { self.output.line(line) }
        }
    }
}
