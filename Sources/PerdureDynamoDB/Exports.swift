// Whoever opens a store uses states or workflows: one import is enough.
@_exported public import PerdureState
@_exported public import PerdureWorkflow
