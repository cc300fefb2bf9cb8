internal import PerdureModel
internal import PerdureState

/// Follows a state.
enum StateWatching {
    static let watch = Command(
        "state watch", "Follows a state: prints it whenever it has changed",
        discussion: """
            Looks again and again; of several changes between two looks it sees the last. Ctrl-C ends it.
            """,
        operands: [.init("ID", "the persistence ID")],
        options: [
            .init("interval", value: "MS", "how often to look, in milliseconds; 500 unless set"),
            .init("count", letter: "n", value: "N", "end after so many lines"),
            PayloadDisplay.option,
        ],
        examples: [.init("perdure state watch ada", "version, time and payload of each change")]
    ) { call in
        let pause = Duration.milliseconds(Int64(try call.number("interval", in: 10...3_600_000) ?? 500))
        let most = try call.number("count", in: 1...UInt64(Int64.max)) ?? .max
        let display = try await PayloadDisplay(of: call)
        let id = call.operand(0) ?? ""
        let clock = SystemClock()
        try await call.withStore { store in
            var shown: DurableState??
            var count: UInt64 = 0
            while true {
                try Task.checkCancellation()
                let state = try await store.latestState(of: id)
                if shown == nil || shown != .some(state) {
                    // Nothing yet is nothing to show.
                    if state != nil || shown != nil {
                        Self.show(state, id, display, call.output)
                        count += 1
                        if count >= most { return }
                    }
                    shown = .some(state)
                }
                try await clock.sleep(for: pause)
            }
        }
        return .done
    }

    private static func show(_ state: DurableState?, _ id: String, _ display: PayloadDisplay, _ output: Output) {
        guard let state else {
            if output.isJSON {
                output.json([("id", .string(id)), ("deleted", .bool(true))])
            } else {
                output.line("\(UTCTime(SystemClock().unixMilliseconds).text)  deleted")
            }
            return output.flush()
        }
        if output.isJSON {
            output.json(StateLine.fields(of: state) + display.fields(of: state.payload))
        } else {
            let time = state.timestamp == 0 ? "unknown".padded(to: 24) : UTCTime(state.timestamp).text
            switch display.text(of: state.payload) {
            case .json(let text): output.line("\(time)  version \(state.version)  \(text.visible)")
            case .hex(let lines):
                output.line("\(time)  version \(state.version)  \(state.payload.bytes.count) bytes")
                for line in lines { output.line(line) }
            }
        }
        output.flush()
    }
}
