internal import PerdureModel
internal import PerdureWorkflow

extension RunWork {
    private static func workerKey(_ id: String) -> Item {
        RunKey.key(RunMarkerKey.workers, KeyText.fitting("WORKER#", id))
    }

    func workers() async throws(StoreError) -> [WorkerRecord] {
        try await self.all(.partition(RunMarkerKey.workers, from: "WORKER#", below: "WORKER$")).map { item in
            WorkerRecord(
                id: item.text("worker_id") ?? "", name: item.text("name") ?? "", process: item.text("process") ?? "",
                beat: item.count("beat") ?? 0, leaseMilliseconds: item.integer("lease_ms") ?? 0,
                registeredAt: item.time("registered_at") ?? 0, renewedAt: item.time("renewed_at") ?? 0)
        }
    }

    /// Stores a worker, and notes under its name which one it is: by it the one before is found.
    func register(_ worker: WorkerRecord) async throws(StoreError) {
        var item = Self.workerKey(worker.id)
        item.append("worker_id", .string(worker.id))
        item.append("name", .string(worker.name))
        item.append("process", .string(worker.process))
        item.append("beat", .number(worker.beat))
        item.append("lease_ms", .number(worker.leaseMilliseconds))
        item.append("registered_at", .time(worker.registeredAt))
        item.append("renewed_at", .time(worker.renewedAt))
        let nameKey = RunKey.key(RunMarkerKey.workers, KeyText.fitting("NAME#", worker.name))
        var name = nameKey
        name.append("worker_id", .string(worker.id))
        let writeID = self.session.writeIDs.next()
        for round in 0..<Self.attempts {
            let before = try await self.get(nameKey)?.text("worker_id")
            var isSame = Expression()
            if let before {
                isSame.require("worker_id", .string(before))
            } else {
                isSame.condition = "attribute_not_exists(\(RunAttribute.partition))"
            }
            var actions = [self.action(.put(item)), self.action(.put(name), isSame)]
            if let before, IDKey(before) != IDKey(worker.id) {
                actions.append(self.action(.delete(key: Self.workerKey(before))))
            }
            if case .done = try await self.send(actions, token: "\(writeID.text)-\(round)", nil) { return }
        }
        throw self.restless(nil)
    }

    func renew(_ id: String, at time: Int64) async throws(StoreError) -> Bool {
        var expression = Expression()
        expression.requirePresence()
        let (beat, renewed) = (expression.name("beat"), expression.name("renewed_at"))
        let (one, now) = (expression.value(.number(1)), expression.value(.time(time)))
        expression.update = "SET \(beat) = \(beat) + \(one), \(renewed) = \(now)"
        // A beat that is moved on twice has moved.
        let action = self.action(.update(key: Self.workerKey(id)), expression)
        for _ in 0..<Self.attempts {
            guard case .refused(let reasons, _) = try await self.send([action], token: "", nil) else { return true }
            if reasons.contains(where: { $0.code == "ConditionalCheckFailed" }) { return false }
            // Others were just writing it, and may not succeed.
        }
        throw self.restless(nil)
    }

    func bury(_ id: String, beat: UInt64) async throws(StoreError) -> Bool {
        var expression = Expression()
        expression.require("beat", .number(beat))
        do throws(CallFailure) {
            try await self.session.client.perform(
                .deleteItem(
                    table: self.table, key: Self.workerKey(id), expression, isRepeatable: true,
                    reportsCapacity: self.session.reportsCapacity), deadline: self.deadline)
            return true
        } catch {
            guard error.fault?.isFailedCondition == true else { throw error.storeError(self.operation) }
            // An attempt whose answer was lost may have buried it; gone it is.
            return error.mayHaveHappened && error.fault?.item == nil
        }
    }

    /// Gives up a worker's runs, then removes it: should this end half way, it is taken for dead in the end.
    func retire(_ id: String, at time: Int64) async throws(StoreError) {
        let prefix = RunMarkerKey.owner(id)
        let partitions = try await self.workflows().flatMap { workflow in
            self.layout.shards.map { RunMarkerKey.running($0, workflow) }
        }
        let runs = try await self.several(partitions, atOnce: 32) { (partition) throws(StoreError) in
            try await self.all(.partition(partition, from: prefix + "#", below: KeyText.after(prefix)))
                .compactMap { $0.text(RunAttribute.runID) }
        }.flatMap { $0 }
        _ = try await self.several(runs, atOnce: 16) { (run) throws(StoreError) in
            try await self.release(run, of: id, at: time)
        }
        try await self.perform(
            .deleteItem(
                table: self.table, key: Self.workerKey(id), isRepeatable: true,
                reportsCapacity: self.session.reportsCapacity))
    }

    private func release(_ run: String, of worker: String, at time: Int64) async throws(StoreError) {
        let writeID = self.session.writeIDs.next()
        for round in 0..<Self.attempts {
            guard let old = try await self.row(run), old.progress.owner.map({ IDKey($0) }) == IDKey(worker) else {
                return
            }
            var progress = old.progress
            progress.beLetGo(at: time)
            let new = old.going(on: progress, inboxCount: old.inboxCount, writeID: writeID)
            let actions =
                [self.update(old, new.changes(from: old, self.layout))]
                + self.moves(from: old.markers(self.layout), to: new.markers(self.layout))
            if case .done = try await self.send(actions, token: "\(writeID.text)-\(round)", run) {
                return self.known.remember(new)
            }
        }
        throw self.restless(run)
    }

    func mail(for worker: String) async throws(StoreError) -> [RunMail] {
        try await self.all(.partition(RunMarkerKey.mail(worker))).compactMap { item in
            guard let id = item.text(RunAttribute.runID), let count = item.count(RunAttribute.inboxCount) else {
                return nil
            }
            return RunMail(runID: id, inboxCount: count)
        }
    }
}
