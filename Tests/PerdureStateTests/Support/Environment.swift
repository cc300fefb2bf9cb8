import PerdureTestKit

#if canImport(Glibc)
    import Glibc
#endif

enum Environment {
    static subscript(name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// The seed that `name` says, otherwise one of its own for each run.
    static func seed(_ name: String) -> UInt64 { self[name].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1 << 40) }
}
