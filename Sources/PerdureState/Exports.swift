// Whoever uses entities names IDs, payloads and errors: one import is enough.
@_exported public import PerdureModel
