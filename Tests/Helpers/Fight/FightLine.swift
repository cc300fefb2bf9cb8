internal import PerdureState
public import PerdureTestKit

/// An operation of a fight as a line of text, for another process to read: fields with a blank between them.
///
/// `ID BEGAN ENDED REQUEST ANSWER`, where a request is `read`, `write STATE CONDITION` or `delete CONDITION`, an answer `found STATE`,
/// `none`, `done`, `conflict VERSION`, `notApplied` or `unknown`, and a state `VERSION TEXT` with the blanks of its text as `_`.
public enum FightLine {
    /// The line of an operation on `id`.
    public static func text(of operation: StateHistory.Operation, on id: String) -> String {
        let request =
            switch operation.request {
            case .read: "read"
            case .write(let state, let condition): "write \(Self.text(of: state)) \(Self.text(of: condition))"
            case .delete(let condition): "delete \(Self.text(of: condition))"
            }
        let answer =
            switch operation.answer {
            case .found(let state?): "found \(Self.text(of: state))"
            case .found(nil): "none"
            case .done: "done"
            case .conflict(let stored): "conflict \(stored)"
            case .notApplied: "notApplied"
            case .unknown: "unknown"
            }
        return "\(id) \(operation.began) \(operation.ended) \(request) \(answer)"
    }

    private static func text(of state: DurableState) -> String {
        let text = String(decoding: state.payload.bytes, as: UTF8.self)
        return "\(state.version) \(text.split(separator: " ").joined(separator: "_"))"
    }

    private static func text(of condition: WriteCondition) -> String {
        switch condition {
        case .always: "always"
        case .absent: "absent"
        case .version(let version): "\(version)"
        }
    }

    /// The ID and the operation that a line tells; nil when it is none.
    public static func operation(from line: String) -> (id: String, operation: StateHistory.Operation)? {
        var words = line.split(separator: " ")[...]
        guard let id = words.popFirst().map(String.init), let began = words.popFirst().flatMap({ UInt64($0) }),
            let ended = words.popFirst().flatMap({ UInt64($0) }), began <= ended,
            let request = Self.request(&words, id), let answer = Self.answer(&words, id), words.isEmpty
        else { return nil }
        return (id, .init(request, answer, began: began, ended: ended))
    }

    private static func request(_ words: inout ArraySlice<Substring>, _ id: String) -> StateHistory.Request? {
        switch words.popFirst() {
        case "read": return .read
        case "write":
            guard let state = Self.state(&words, id), let condition = Self.condition(&words) else { return nil }
            return .write(state, if: condition)
        case "delete": return Self.condition(&words).map { .delete(if: $0) }
        default: return nil
        }
    }

    private static func answer(_ words: inout ArraySlice<Substring>, _ id: String) -> StateHistory.Answer? {
        switch words.popFirst() {
        case "found": Self.state(&words, id).map { .found($0) }
        case "none": .found(nil)
        case "done": .done
        case "conflict": words.popFirst().flatMap { UInt64($0) }.map { .conflict(stored: $0) }
        case "notApplied": .notApplied
        case "unknown": .unknown
        default: nil
        }
    }

    private static func state(_ words: inout ArraySlice<Substring>, _ id: String) -> DurableState? {
        guard let version = words.popFirst().flatMap({ UInt64($0) }), let text = words.popFirst() else { return nil }
        let payload = StatePayload(
            manifest: "fight", bytes: Array(text.split(separator: "_").joined(separator: " ").utf8))
        return DurableState(
            persistenceID: id, version: version, payload: payload, timestamp: 1_700_000_000_000, shard: 3)
    }

    private static func condition(_ words: inout ArraySlice<Substring>) -> WriteCondition? {
        switch words.popFirst() {
        case "always": .always
        case "absent": .absent
        case let word?: UInt64(word).map { .version($0) }
        case nil: nil
        }
    }
}
