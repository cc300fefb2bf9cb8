extension DurableStateBehavior where State: Codable {
    /// JSON, under the name of the state's type with the types around it and without its module, as version 1.
    ///
    /// States in a store outlive names in code: give the codec a name before renaming the type, or one around it.
    ///
    /// ```swift
    /// struct BankAccount: DurableStateBehavior {
    ///     let codec: any StateCodec<State>
    ///     init() throws { self.codec = try JSONStateCodec(name: "BankAccount.State") }
    ///     // State, initialState and handle
    /// }
    /// ```
    public var codec: any StateCodec<State> { JSONStateCodec() }
}

extension DurableStateBehavior where State: ProtobufMessage {
    /// Protobuf in eGo's layout; the other layout is read too.
    public var codec: any StateCodec<State> { ProtobufStateCodec() }
}

extension DurableStateBehavior where State: ProtobufMessage & Codable {
    /// Protobuf in eGo's layout, also for messages that happen to be `Codable`; the other layout is read too.
    public var codec: any StateCodec<State> { ProtobufStateCodec() }
}
