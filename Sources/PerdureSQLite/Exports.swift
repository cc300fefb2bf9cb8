// Whoever opens a store uses states: one import is enough.
@_exported public import PerdureState
