import PerdureCQL

let rows: CQLRows = try { throw CancellationError() }()
