// Whoever uses the model names the clock that it goes by; nothing else of the module below is public.
@_exported public import PerdureConcurrency
