/// One verification of one promise of any suite: what it is called, and the words for saying what is wrong.
protocol PromiseTrial: Sendable {
    var number: Int { get }
    var name: String { get }
    var settings: PromiseSettings { get }
}

extension PromiseTrial {
    /// What every ID of a trial begins with; 22 bytes that no other trial has.
    static func freshPrefix() -> String {
        // Not of the seed: two runs on one shared store must not meet, even with the same seed.
        let token = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return "check-" + String(repeating: "0", count: 16 - token.count) + token
    }

    /// The random numbers of one task of this promise.
    func generator(stream: Int = 0) -> SeededGenerator {
        SeededGenerator(
            seed: self.settings.seed ^ PersistenceID.shard(of: self.name, among: UInt64.max),
            stream: UInt64(stream))
    }

    // MARK: Saying what is wrong

    func broken(
        expected: String, found: String, fileID: StaticString = #fileID, line: UInt = #line
    ) -> BrokenPromise {
        BrokenPromise(
            number: self.number, name: self.name, expected: expected, found: found, seed: self.settings.seed,
            location: "\(fileID):\(line)")
    }

    func broken(
        expected: String, found error: StoreError, fileID: StaticString = #fileID, line: UInt = #line
    ) -> BrokenPromise {
        var broken = self.broken(expected: expected, found: describe(error), fileID: fileID, line: line)
        broken.isOverload = error.isOverload
        return broken
    }

    func expect(
        _ condition: Bool, _ expected: @autoclosure () -> String, found: @autoclosure () -> String,
        fileID: StaticString = #fileID, line: UInt = #line
    ) throws(BrokenPromise) {
        if !condition { throw self.broken(expected: expected(), found: found(), fileID: fileID, line: line) }
    }

    func expect(
        _ condition: Bool, _ expected: @autoclosure () -> String, found error: StoreError,
        fileID: StaticString = #fileID, line: UInt = #line
    ) throws(BrokenPromise) {
        if !condition { throw self.broken(expected: expected(), found: error, fileID: fileID, line: line) }
    }

    func untested(_ reason: String) -> UntestedPromise { UntestedPromise(reason: reason) }

    /// Makes an attempt and returns the error, nil for success.
    func answer(to attempt: () async throws(StoreError) -> Void) async -> StoreError? {
        do throws(StoreError) {
            try await attempt()
            return nil
        } catch {
            return error
        }
    }

    /// Makes an attempt that must fail, and returns the error.
    func expectFailure<Value>(
        of attempt: String, fileID: StaticString = #fileID, line: UInt = #line,
        _ body: () async throws(StoreError) -> Value
    ) async throws(BrokenPromise) -> StoreError {
        do throws(StoreError) {
            _ = try await body()
        } catch {
            return error
        }
        throw self.broken(expected: "\(attempt) to fail", found: "it succeeded", fileID: fileID, line: line)
    }

    /// Makes an attempt that must fail with `code`, and returns the error.
    func expectFailure<Value>(
        _ code: StoreError.Code, of attempt: String, fileID: StaticString = #fileID, line: UInt = #line,
        _ body: () async throws(StoreError) -> Value
    ) async throws(BrokenPromise) -> StoreError {
        let error = try await self.expectFailure(of: attempt, fileID: fileID, line: line, body)
        try self.expect(
            error.code == code, "\(attempt) to fail with \(code)", found: error, fileID: fileID, line: line)
        return error
    }

    /// Makes an attempt that must be a conflict with the version `stored`.
    func expectConflict(
        with stored: UInt64, of attempt: String, fileID: StaticString = #fileID, line: UInt = #line,
        _ body: () async throws(StoreError) -> Void
    ) async throws(BrokenPromise) {
        let error = try await self.expectFailure(.conflict, of: attempt, fileID: fileID, line: line, body)
        try self.expect(
            error.storedVersion == stored, "\(attempt) to be a conflict with version \(stored)",
            found: error, fileID: fileID, line: line)
    }

    // MARK: Many at once

    /// Runs `body` in `count` tasks at once and returns the results in the order of their numbers.
    func concurrently<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (_ number: Int) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: (Int, Value).self) { group in
            for number in 0..<count { group.addTask { (number, try await body(number)) } }
            var values: [Value?] = Array(repeating: nil, count: count)
            for try await (number, value) in group { values[number] = value }
            return values.compactMap { $0 }
        }
    }

    // MARK: Judging

    /// What becomes of the promise when `body` is run within the time limit, and `cleanUp` after it.
    func judge(
        _ body: @escaping @Sendable () async throws -> Void, cleanUp: @escaping @Sendable () async -> Void
    ) async throws(BrokenPromise) -> PromiseVerdict {
        let cancelled = PromiseVerdict.notTested("the run was cancelled")
        if Task.isCancelled { return cancelled }
        let outcome = await finish(within: self.settings.timeLimit) {
            let outcome: Result<PromiseVerdict, BrokenPromise>
            do {
                try await body()
                outcome = .success(.kept)
            } catch let broken as BrokenPromise {
                outcome = .failure(broken)
            } catch let untested as UntestedPromise {
                outcome = .success(.notTested(untested.reason))
            } catch {
                var broken = self.broken(expected: "no error", found: String(reflecting: error))
                broken.isOverload = (error as? StoreError)?.isOverload ?? false
                outcome = .failure(broken)
            }
            // Also when the run was cancelled: in a task that was not.
            await Task { await cleanUp() }.value
            return outcome
        }
        if Task.isCancelled { return cancelled }
        guard let outcome else {
            var broken = self.broken(
                expected: "an end within \(self.settings.timeLimit)", found: "it was still busy then")
            broken.isOverload = true
            throw broken
        }
        return try outcome.get()
    }
}

extension StoreError {
    /// Whether it only says that the store cannot keep up, or is out of reach.
    fileprivate var isOverload: Bool { [.timeout, .unavailable, .throttled].contains(self.code) }
}
