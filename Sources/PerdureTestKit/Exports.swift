// Whoever tests a store names its contract: one import is enough.
@_exported public import PerdureState
@_exported public import PerdureWorkflow
