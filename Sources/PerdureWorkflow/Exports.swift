// Whoever uses workflows names errors, clocks and observers: one import is enough.
@_exported public import PerdureModel
