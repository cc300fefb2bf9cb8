// Whoever uses the store names states, conditions and errors: one import is enough.
@_exported public import PerdureState
