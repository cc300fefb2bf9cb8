@_exported public import PerdureCQL
