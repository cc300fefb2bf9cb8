extension StatePromise {
    /// Promise 2: reads see every acknowledged write.
    static let linearizability: [StatePromise] = [
        StatePromise(2, "reads its own writes at once, a hundred times") { trial in
            let id = trial.id()
            try await trial.write(trial.state(id, 1), if: .absent)
            for version: UInt64 in 2...100 {
                try await trial.write(trial.state(id, version), if: .version(version - 1))
                try await trial.expectStored(trial.state(id, version))
            }
        }
    ]
}
