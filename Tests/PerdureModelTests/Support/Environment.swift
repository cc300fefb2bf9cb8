import Glibc

/// The seed that someone who repeats a failed run has set.
var environmentSeed: String? { getenv("PERDURE_SEED").map { String(cString: $0) } }
