internal import PerdureState

/// How payloads are shown: JSON as it is, messages by their descriptors where those are given, anything else as a dump.
struct PayloadDisplay: Sendable {
    static let option = Command.Option(
        "descriptors", letter: "d", value: "FILE",
        "decode protobuf by this descriptor set, as protoc --include_imports --descriptor_set_out makes it")

    private let messages: MessageText?

    /// - Throws: ``InputFile/Unreadable``; ``Misuse`` where the file is no descriptor set.
    init(of call: Invocation) async throws {
        guard let path = call.option(Self.option.name) else {
            self.messages = nil
            return
        }
        let bytes = try await InputFile(path).read()
        do {
            self.messages = MessageText(descriptors: try DescriptorSet(parsing: bytes))
        } catch {
            throw Misuse("\(path.debugDescription): \(error)")
        }
    }

    func text(of payload: StatePayload) -> PayloadText {
        if let text = self.messages?.text(of: payload) { return .json(text) }
        return PayloadText(payload)
    }

    /// The payload in words where it can be said, as a field of JSON.
    func fields(of payload: StatePayload) -> [(String, JSONText)] {
        if case .json(let text) = self.text(of: payload) { [("value", .verbatim(text))] } else { [] }
    }
}
