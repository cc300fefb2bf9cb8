internal import PerdureModel
package import PerdureWorkflow

/// Something that an engine does in the same way on every store.
package struct EngineCase: Sendable, CustomStringConvertible {
    /// What it does, in words.
    package let description: String
    private let body: @Sendable (EngineWorld) async throws -> Void

    init(_ description: String, _ body: @escaping @Sendable (EngineWorld) async throws -> Void) {
        self.description = description
        self.body = body
    }

    /// Makes sure of it on an empty store.
    ///
    /// - Parameter makeStore: opens the store; each call is another process's way to it.
    /// - Throws: ``Broken`` where it is not so.
    package func verify(_ makeStore: @escaping @Sendable () throws -> any RunStore) async throws {
        let world = EngineWorld(makeStore)
        do {
            try await self.body(world)
        } catch {
            await world.end()
            throw error
        }
        await world.end()
    }

    /// All of them.
    package static let all: [EngineCase] = Self.running + Self.operations + Self.recovery
}

/// What is not as it must be.
package struct Broken: Error, CustomStringConvertible {
    package let description: String
}

/// Expects that something holds.
func expect(_ holds: Bool, _ rule: @autoclosure () -> String, line: UInt = #line) throws(Broken) {
    if !holds { throw Broken(description: "line \(line): \(rule())") }
}

/// Expects that `body` throws a workflow's error of this code.
func expect<Result>(_ code: RunFailure.Code, line: UInt = #line, _ body: () async throws -> Result) async throws {
    do {
        _ = try await body()
    } catch let error as WorkflowError {
        return try expect(error.code == code, "\(code) was expected, and is \(error)", line: line)
    }
    throw Broken(description: "line \(line): nothing was thrown")
}
