@_exported public import PerdureState
