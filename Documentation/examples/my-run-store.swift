import PerdureTestKit

@Sendable func MyStore() -> any RunStore { InMemoryRunStore() }
