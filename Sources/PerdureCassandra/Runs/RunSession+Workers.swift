internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

/// Workers lie in a few partitions by their names, so that one can take the place of another of its name in one change, and that
/// all can be read at once. A row has no time to live: whether a worker is dead, the others decide by their own clocks.
extension RunSession {
    private static let workerShards: UInt64 = 8

    private struct StoredWorker {
        let record: WorkerRecord
        let shard: Int32
        let mark: CQLUUID?
        /// Taken for dead, and about to be removed.
        let isBuried: Bool
    }

    func workers() async throws(StoreError) -> [WorkerRecord] {
        try await self.allWorkers().map(\.record).sorted { IDKey($0.id) < IDKey($1.id) }
    }

    private func allWorkers() async throws(StoreError) -> [StoredWorker] {
        try await self.stored(in: (0..<Int32(Self.workerShards)).map { $0 }, self.quorum(self.call(.read, nil)))
            .workers.filter { !$0.isBuried }
    }

    private func stored(
        in shards: [Int32], _ call: Call
    ) async throws(StoreError) -> (workers: [StoredWorker], revision: Int64?) {
        let result = try await self.perform(self.statements.workers.read, call) { try $0.bind(shards) }
        var workers: [StoredWorker] = []
        var revision: Int64?
        for row in result {
            try self.decoded(call) { () throws(CQLProtocolError) in
                var columns = row.reader
                let shard: Int32 = try columns.next()
                let id: String? = try columns.next()
                let name: String? = try columns.next()
                let process: String? = try columns.next()
                let beat: Int64? = try columns.next()
                let record = WorkerRecord(
                    id: id ?? "", name: name ?? "", process: process ?? "",
                    beat: UInt64(bitPattern: beat ?? 0), leaseMilliseconds: try columns.next(Int64?.self) ?? 0,
                    registeredAt: try columns.next(Int64?.self) ?? 0, renewedAt: try columns.next(Int64?.self) ?? 0)
                let mark: CQLUUID? = try columns.next()
                let burier: CQLUUID? = try columns.next()
                revision = try columns.next(Int64?.self)
                guard id != nil, beat != nil else { return }
                workers.append(StoredWorker(record: record, shard: shard, mark: mark, isBuried: burier != nil))
            }
        }
        return (workers, revision)
    }

    func register(_ worker: WorkerRecord) async throws(StoreError) {
        var call = self.call(.write, worker.id)
        let shard = Int32(PersistenceID.shard(of: worker.name, among: Self.workerShards))
        let mark = self.session.writeIDs.next()
        for _ in 0..<64 {
            let (there, revision) = try await self.stored(in: [shard], self.serial(call))
            if there.contains(where: { $0.mark == mark }) { return self.note(worker, shard) }
            var parts: [Part] = [
                { batch in
                    try batch.add(self.statements.workers.guardShard) { values in
                        try values.bind((revision ?? 0) + 1)
                        try values.bind(shard)
                        try values.bind(revision)
                    }
                },
                { batch in
                    try batch.add(self.statements.workers.put) { values in
                        try values.bind(shard)
                        try values.bind(worker.id)
                        try values.bind(worker.name)
                        try values.bind(worker.process)
                        try values.bind(Int64(bitPattern: worker.beat))
                        try values.bind(worker.leaseMilliseconds)
                        try values.bind(worker.registeredAt)
                        try values.bind(worker.renewedAt)
                        try values.bind(mark)
                    }
                },
            ]
            for other in there
            where (other.isBuried || IDKey(other.record.name) == IDKey(worker.name))
                && IDKey(other.record.id) != IDKey(worker.id)
            {
                parts.append { batch in
                    try batch.add(self.statements.workers.remove) { values in
                        try values.bind(shard)
                        try values.bind(other.record.id)
                    }
                }
            }
            if try await self.batch(&call, parts).wasApplied == true { return self.note(worker, shard) }
        }
        throw call.restless
    }

    private func note(_ worker: WorkerRecord, _ shard: Int32) {
        self.memory.workers.withLock { workers in
            workers[IDKey(worker.id)] = RunMemory.KnownWorker(shard: shard, beat: worker.beat)
        }
    }

    func renew(_ workerID: String, at time: Int64) async throws(StoreError) -> Bool {
        var call = self.call(.write, workerID)
        var known = try await self.known(workerID)
        for _ in 0..<64 {
            guard let worker = known else { return false }
            let result = try await self.session.perform(self.statements.workers.renew, &call) { values in
                try values.bind(Int64(bitPattern: worker.beat + 1))
                try values.bind(time)
                try values.bind(worker.shard)
                try values.bind(workerID)
                try values.bind(Int64(bitPattern: worker.beat))
            }
            let found = result.wasApplied == true ? worker.beat + 1 : try self.refusal(in: result, call).beat
            // Nobody else moves a worker's beat on.
            let isDone = result.wasApplied == true || (call.mayHaveHappened && found == worker.beat + 1)
            known = found.map { RunMemory.KnownWorker(shard: worker.shard, beat: $0) }
            let now = known
            self.memory.workers.withLock { $0[IDKey(workerID)] = now }
            if isDone { return true }
        }
        throw call.restless
    }

    func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool {
        var call = self.call(.write, workerID)
        guard let worker = try await self.known(workerID) else { return false }
        let mark = self.session.writeIDs.next()
        let result = try await self.session.perform(self.statements.workers.bury, &call) { values in
            try values.bind(mark)
            try values.bind(worker.shard)
            try values.bind(workerID)
            try values.bind(Int64(bitPattern: beat))
        }
        if result.wasApplied != true, try self.refusal(in: result, call).burier != mark { return false }
        // Dead by now. Should the row stay, the next worker that comes to its partition clears it away.
        try? await self.dismiss(workerID, worker.shard)
        return true
    }

    /// What kept a change of a worker from happening: its beat, if it is there and alive, or who buried it.
    private func refusal(in result: CQLResult, _ call: Call) throws(StoreError) -> (beat: UInt64?, burier: CQLUUID?) {
        guard let row = result.first, row.columns?.contains(where: { $0.name == "buried_by" }) == true else {
            return (nil, nil)
        }
        return try self.decoded(call) { () throws(CQLProtocolError) in
            if let burier = try row.decode(CQLUUID?.self, named: "buried_by") { return (nil, burier) }
            return (try row.decode(Int64?.self, named: "beat").map { UInt64(bitPattern: $0) }, nil)
        }
    }

    private func dismiss(_ workerID: String, _ shard: Int32) async throws(StoreError) {
        var call = self.call(.write, workerID)
        _ = try await self.session.perform(self.statements.workers.dismiss, &call) { values in
            try values.bind(shard)
            try values.bind(workerID)
        }
        self.memory.workers.withLock { $0[IDKey(workerID)] = nil }
    }

    /// Where a worker lies, which follows from its name, and how far its beat was.
    private func known(_ workerID: String) async throws(StoreError) -> RunMemory.KnownWorker? {
        if let known = self.memory.workers.withLock({ $0[IDKey(workerID)] }) { return known }
        guard let found = try await self.allWorkers().first(where: { IDKey($0.record.id) == IDKey(workerID) }) else {
            return nil
        }
        return RunMemory.KnownWorker(shard: found.shard, beat: found.record.beat)
    }

    func retire(_ workerID: String, at time: Int64) async throws(StoreError) {
        let reading = self.call(.write, nil)
        try await self.eachRun(owned: workerID, reading) { runs throws(StoreError) in
            let results = await self.session.together(runs.count) { index -> Result<Void, StoreError> in
                do throws(StoreError) { return .success(try await self.giveUp(runs[index].head, at: time)) } catch {
                    return .failure(error)
                }
            }
            for result in results { try result.get() }
            return true
        }
        guard let worker = try await self.known(workerID) else { return }
        try await self.dismiss(workerID, worker.shard)
    }

    /// Lets a run go whose worker retires: ready, with a higher fence.
    private func giveUp(_ seen: RunHead, at time: Int64) async throws(StoreError) {
        var call = self.call(.write, seen.id)
        await self.memory.turns.take(.id(IDKey(seen.id)))
        defer { self.memory.turns.leave(.id(IDKey(seen.id))) }
        var head: RunHead? = seen
        for _ in 0..<64 {
            guard let old = head, let owner = old.progress.owner, IDKey(owner) == IDKey(seen.progress.owner ?? "")
            else { return }
            var record = old.record
            record.progress.beLetGo(at: time)
            let mark = self.session.writeIDs.next()
            var new = RunHead(record, after: old, at: self.stamp())
            new.changedBy = mark
            if case .done = try await self.make(RunChange(old: old, new: new, mark: mark), &call) { return }
            head = try await self.head(of: seen.id, call)
        }
        throw call.restless
    }
}
