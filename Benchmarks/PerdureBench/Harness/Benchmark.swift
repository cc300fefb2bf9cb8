/// One figure, and what it is held against.
struct Benchmark: Sendable {
    let name: String
    let unit: String
    /// What the baseline is, in a few words; nil where there is none to be had.
    let baselineName: String?
    /// Measures once. Runs long enough to be trusted, about half a second.
    let measure: @Sendable () async throws -> Double
    /// Measures what it is held against, the same way.
    let measureBaseline: (@Sendable () async throws -> Double)?

    init(
        _ name: String, unit: String, measure: @escaping @Sendable () async throws -> Double,
        against baselineName: String? = nil, baseline: (@Sendable () async throws -> Double)? = nil
    ) {
        self.name = name
        self.unit = unit
        self.measure = measure
        self.baselineName = baselineName
        self.measureBaseline = baseline
    }
}

/// What came of a benchmark: medians over alternating rounds of one run.
struct Figure: Sendable {
    let benchmark: Benchmark
    let value: Double
    let baselineValue: Double?
    /// The median of the rounds' own ratios, value to baseline: what drifts with the machine cancels out.
    let ratio: Double?
    /// (largest − smallest) / median of the value.
    let spread: Double

    init(_ benchmark: Benchmark, values: [Double], baselines: [Double]) {
        self.benchmark = benchmark
        self.value = values.median
        self.baselineValue = baselines.isEmpty ? nil : baselines.median
        self.ratio = baselines.isEmpty ? nil : zip(values, baselines).map { $0 / $1 }.median
        self.spread = self.value == 0 ? 0 : ((values.max() ?? 0) - (values.min() ?? 0)) / self.value
    }
}
