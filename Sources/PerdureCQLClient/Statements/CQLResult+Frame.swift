internal import PerdureCQL

extension CQLResult {
    /// Decodes an answer, where the caller is.
    ///
    /// - Parameters:
    ///   - frame: What came.
    ///   - columns: The columns that the node knows the statement by, where the answer leaves them out.
    ///   - node: Who answered.
    /// - Throws: ``CQLProtocolError`` where the frame is no answer.
    init(_ frame: CQLFrame, columns: [CQLColumn], from node: CQLEndpoint) throws(CQLProtocolError) {
        let response = try CQLResponse(frame)
        switch response.message {
        case .rows(let rows): self.rows = try rows.described(by: columns)
        case .void, .setKeyspace, .schemaChange, .prepared: self.rows = nil
        default: throw CQLProtocolError(.unexpectedMessage, "a message that does not answer what was asked")
        }
        self.warnings = response.warnings
        self.tracingID = response.tracingID
        self.node = node
        self.isSchemaChange = if case .schemaChange = response.message { true } else { false }
    }
}
