extension Workflow {
    /// The definition as an indented tree, for terminals and logs.
    ///
    /// - Parameter statuses: where the steps of a run stand, by the IDs of their records: shown as marks before the names. Empty for the
    ///   definition alone.
    /// - Returns: lines, each ended by a line feed.
    public func text(statuses: [String: StepStatus] = [:]) -> String { self.graph.text(statuses: statuses) }

    /// The definition as a flowchart of Mermaid, which documentation sites and code hosts draw.
    ///
    /// - Parameter statuses: where the steps of a run stand, by the IDs of their records: shown as colours. Empty for the definition
    ///   alone.
    /// - Returns: lines, each ended by a line feed.
    public func mermaid(statuses: [String: StepStatus] = [:]) -> String { self.graph.mermaid(statuses: statuses) }
}
