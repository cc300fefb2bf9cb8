/// Turns states of one type into payloads and back.
///
/// A codec must read whatever it has ever written, and must throw, never trap, on bytes that it cannot read.
public protocol StateCodec<State>: Sendable {
    /// The type of the states.
    associatedtype State: Sendable

    /// The payload of a state.
    ///
    /// - Throws: ``PayloadError`` or an error of the codec's own when the state cannot be encoded.
    func encode(_ state: State) throws -> StatePayload

    /// The state in a payload.
    ///
    /// - Throws: ``PayloadError`` or an error of the codec's own when the manifest is unknown or the bytes do not fit it.
    func decode(_ payload: StatePayload) throws -> State
}
