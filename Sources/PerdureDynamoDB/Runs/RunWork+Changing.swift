internal import PerdureModel
internal import PerdureWorkflow

extension RunWork {
    /// What is sent along with a run's own item: its parts, and messages to other runs.
    private enum Role {
        case run
        /// The message of that number among those that the run is sent.
        case message(Int)
        case consumed(Int)
        case other
    }

    // MARK: Creating

    func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        let request = creation.request
        let writeID = self.session.writeIDs.next()
        var writer = RunValueWriter(runID: request.id, life: writeID.bytes, writeID: writeID, limit: self.limit)
        let items = RunItems(
            runID: request.id, life: writeID.bytes, revision: creation.progress.revision,
            time: creation.progress.updatedAt)
        let puts = try self.puts(creation.steps, creation.state, items, moving: [:], &writer)
        var row = RunRow(creation, writeID: writeID, parts: puts.count, packs: 0)
        let markers = row.markers(self.layout) + row.lastingMarkers(self.layout)
        let parts = Self.packed(puts, items, others: markers.count + 1)
        (row.parts, row.packs) = (parts.count, parts.count < puts.count ? parts.count : 0)
        let item = try row.item(self.layout, &writer)
        try await self.note(workflow: request.workflow)
        try await self.upload(writer.chunks, request.id)
        var isAbsent = Expression()
        isAbsent.condition = "attribute_not_exists(\(RunAttribute.partition))"
        var actions = [self.action(.put(item), isAbsent)]
        actions += parts.map { self.action(.put($0)) }
        actions += markers.map { self.action(.put($0.item)) }
        let (new, whole) = (row, actions)
        return try await self.attempting { (mayHaveHappened) throws(StoreError) in
            for round in 0..<Self.attempts {
                guard
                    case .refused(let reasons, let mayHave) = try await self.send(
                        whole, token: "\(writeID.text)-\(round)", request.id)
                else {
                    self.known.remember(new)
                    if new.progress.expiresAt != nil { self.follow(new) }
                    return .created
                }
                mayHaveHappened = mayHaveHappened || mayHave
                var found = reasons.first?.item
                if found == nil { found = try await self.get(RunKey.run(request.id), of: request.id) }
                guard let found else {
                    // Made by an attempt whose answer was lost, perhaps, and removed by others since: not to be made again.
                    if mayHaveHappened { throw self.lostSight(of: request.id) }
                    // Nobody is in the way any more, or others were just writing.
                    continue
                }
                // The answer to an earlier attempt was lost, and it had come through.
                if found[RunAttribute.life]?.bytes == writeID.bytes { return .created }
                guard let record = try await self.record(in: found, request.id) else { continue }
                return .exists(record)
            }
            throw self.restless(request.id)
        }
    }

    /// Enters a workflow into the table's list, once per process.
    private func note(workflow: String) async throws(StoreError) {
        guard !self.known.hasWorkflow(workflow) else { return }
        var item = RunKey.key(RunMarkerKey.workflows, KeyText.fitting("WORKFLOW#", workflow))
        item.append("workflow_id", .string(workflow))
        do throws(StoreError) {
            try await self.perform(
                .putItem(
                    table: self.table, item: item, isRepeatable: true, reportsCapacity: self.session.reportsCapacity))
        } catch {
            throw error.with(outcome: .notApplied)
        }
        self.known.addWorkflow(workflow)
    }

    /// All workflows that have ever had runs.
    func workflows() async throws(StoreError) -> [String] {
        try await self.all(.partition(RunMarkerKey.workflows)).compactMap { $0.text("workflow_id") }
    }

    /// The items of steps and shared state; `moving` are the states that stand under the keys now.
    private func puts(
        _ steps: [StepRecord], _ state: [StateRecord], _ items: RunItems, moving current: [IDKey: Item],
        _ writer: inout RunValueWriter
    ) throws(StoreError) -> [Item] {
        let steps = RunEncoding.last(of: steps) { IDKey($0.id) }
        let state = RunEncoding.last(of: state) { [IDKey($0.key), IDKey($0.step)] }
        // A transaction has 4 MB, and many records may have to share an item of 400 KB.
        var weight = 0
        for value in steps.flatMap({ [$0.input, $0.output] }) + state.map(\.value) {
            weight += try writer.encoding.bytes(value)?.count ?? 0
        }
        if weight > 2 << 20 || steps.count + state.count > 40 { writer.inlineLimit = RunValueWriter.small }
        var puts: [Item] = []
        for step in steps { puts += try items.step(step, &writer) }
        let latest = Dictionary(state.map { (IDKey($0.key), IDKey($0.step)) }, uniquingKeysWith: { $1 })
        for record in state {
            let isPast = latest[IDKey(record.key)] != IDKey(record.step)
            puts.append(try items.state(record, isPast: isPast, &writer))
        }
        for (key, item) in current {
            let step = IDKey(item.text("step_id") ?? "")
            let isReplaced = state.contains { IDKey($0.key) == key && IDKey($0.step) == step }
            if latest[key] != nil, !isReplaced { puts.append(items.past(item)) }
        }
        return puts
    }

    /// The most actions of a transaction.
    private static let mostActions = 100

    /// The items as they are, or packed, where a transaction has no room for so many.
    private static func packed(_ puts: [Item], _ items: RunItems, others: Int) -> [Item] {
        puts.count + others <= Self.mostActions ? puts : items.packs(puts)
    }

    // MARK: Committing

    func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        try await self.attempting { (mayHaveHappened) throws(StoreError) in
            try await self.commit(commit, &mayHaveHappened)
        }
    }

    private func commit(_ commit: RunCommit, _ mayHaveHappened: inout Bool) async throws(StoreError) -> CommitReceipt {
        let id = commit.runID
        let writeID = self.session.writeIDs.next()
        var row = self.known[id]
        // What was remembered may be outdated; what is read is not.
        if row?.progress.revision != commit.expectedRevision || row?.progress.fence != commit.expectedFence {
            row = try await self.row(id)
        }
        var draft: CommitDraft?
        // A transaction must not touch an item twice; the last taker counts.
        var consumed = RunEncoding.last(of: commit.consumed) { IDKey($0.message) }
        var posts = Posts(commit.posts)
        for round in 0..<Self.attempts {
            guard let old = row else {
                if mayHaveHappened { throw self.lostSight(of: id) }
                throw self.conflict(commit, stored: 0)
            }
            if old.writeID == writeID.bytes { return CommitReceipt(inboxCount: old.inboxCount) }
            guard old.progress.revision == commit.expectedRevision, old.progress.fence == commit.expectedFence else {
                self.known.forget(id)
                if mayHaveHappened { throw self.lostSight(of: id) }
                throw self.conflict(commit, stored: old.progress.revision)
            }
            if old.progress.expiresAt != nil, commit.progress.expiresAt == nil { try await self.unfollow(old) }
            let made: CommitDraft
            if let draft, draft.life == old.life {
                made = draft
            } else {
                made = try await self.draft(commit, on: old, writeID)
                try await self.upload(made.writer.chunks, id)
                draft = made
            }
            let (actions, roles, new) = try await self.actions(commit, made, on: old, consumed, &posts, writeID)
            let sent = try await self.send(actions, token: "\(writeID.text)-\(round)", id)
            guard case .refused(let reasons, let mayHave) = sent else {
                self.known.remember(new)
                if old.progress.expiresAt != nil, new.progress.expiresAt == nil {
                    // From here on it has happened.
                    mayHaveHappened = true
                    try await self.unfollow(new)
                }
                if new.progress.expiresAt != nil { self.follow(new) }
                return CommitReceipt(inboxCount: new.inboxCount)
            }
            mayHaveHappened = mayHaveHappened || mayHave
            let failed = zip(roles, reasons).filter { $1.code == "ConditionalCheckFailed" }
            var found: Item?
            for (role, reason) in failed {
                switch role {
                case .run: found = reason.item
                case .message(let number): posts.drop(number)
                case .consumed(let number): consumed[number].message = ""
                case .other: break
                }
            }
            consumed.removeAll { $0.message.isEmpty }
            if let found {
                row = try self.row(in: found, id)
            } else {
                row = try await self.row(id)
            }
        }
        throw self.restless(id)
    }

    private func conflict(_ commit: RunCommit, stored: UInt64) -> StoreError {
        .runConflict(
            .write, of: commit.runID, expected: (commit.expectedRevision, commit.expectedFence), stored: stored)
    }

    /// What of a change does not depend on who else writes: its items, and the chunks of their values.
    private struct CommitDraft {
        let life: [UInt8]
        let items: RunItems
        var writer: RunValueWriter
        var puts: [Item] = []
        var deletions: [Item] = []
    }

    private func draft(
        _ commit: RunCommit, on old: RunRow, _ writeID: WriteID
    ) async throws(StoreError) -> CommitDraft {
        var draft = CommitDraft(
            life: old.life,
            items: RunItems(
                runID: old.id, life: old.life, revision: commit.progress.revision, time: commit.progress.updatedAt),
            writer: RunValueWriter(runID: old.id, life: old.life, writeID: writeID, limit: self.limit))
        var current: [IDKey: Item] = [:]
        if !commit.removedSteps.isEmpty || old.packs > 0 && !commit.state.isEmpty {
            guard let partition = try await self.partition(old.id) else { return draft }
            self.remove(commit, from: partition, &draft)
            for record in commit.state {
                guard let item = partition.record(RunKey.state(record.key)) else { continue }
                let isRemoved = commit.removedSteps.contains { IDKey($0) == IDKey(item.text("step_id") ?? "") }
                if !isRemoved { current[IDKey(record.key)] = item }
            }
        } else if !commit.state.isEmpty {
            let keys = Set(commit.state.map { IDKey(RunKey.state($0.key)) }).map {
                RunKey.key(RunKey.partition(old.id), $0.id)
            }
            for item in try await self.items(keys) where item[RunAttribute.life]?.bytes == old.life {
                if let key = item.text("key") { current[IDKey(key)] = item }
            }
        }
        draft.puts += try self.puts(commit.steps, commit.state, draft.items, moving: current, &draft.writer)
        let written = Set(draft.puts.map { IDKey($0.text(RunAttribute.sort) ?? "") })
        draft.deletions.removeAll { written.contains(IDKey($0.text(RunAttribute.sort) ?? "")) }
        return draft
    }

    /// Takes out the steps that a change removes, with their outputs and what they put into the shared state.
    private func remove(_ commit: RunCommit, from partition: RunPartition, _ draft: inout CommitDraft) {
        guard !commit.removedSteps.isEmpty else { return }
        let removed = Set(commit.removedSteps.map { IDKey($0) })
        func isRemoved(_ item: Item) -> Bool { removed.contains(IDKey(item.text("step_id") ?? "")) }
        var inPacks: Set<IDKey> = []
        for pack in partition.packs {
            let records = RunItems.records(of: pack)
            for record in records { inPacks.insert(IDKey(record.text(RunAttribute.sort) ?? "")) }
            guard records.contains(where: isRemoved) else { continue }
            if let rest = draft.items.pack(pack, without: isRemoved) {
                draft.puts.append(rest)
            } else {
                draft.deletions.append(RunKey.key(of: pack))
            }
        }
        for item in partition.records("STEP", "OUTPUT", "STATE", "PAST") where isRemoved(item) {
            draft.deletions.append(RunKey.key(RunKey.partition(partition.row.id), item.text(RunAttribute.sort) ?? ""))
        }
    }

    private func actions(
        _ commit: RunCommit, _ draft: CommitDraft, on old: RunRow, _ consumed: [(message: String, step: String)],
        _ posts: inout Posts, _ writeID: WriteID
    ) async throws(StoreError) -> ([TransactionAction], [Role], RunRow) {
        var actions: [TransactionAction] = []
        var roles: [Role] = []
        func add(_ more: [TransactionAction], _ role: Role = .other) {
            actions += more
            roles += more.map { _ in role }
        }
        // Messages to others come first: what they bring may have to be written beforehand.
        var inboxCount = old.inboxCount
        for (target, numbers) in posts.targets {
            if IDKey(target) == IDKey(old.id) {
                guard !commit.progress.status.isEnded else { continue }
                for number in numbers {
                    inboxCount += 1
                    add([try await self.put(posts[number], number: inboxCount, to: old, writeID)], .message(number))
                }
                continue
            }
            guard let row = try await self.row(target), !row.status.isEnded else { continue }
            var new = row.going(
                on: row.progress, inboxCount: row.inboxCount + UInt64(numbers.count), writeID: writeID,
                parts: row.parts)
            new.writeID = row.writeID
            for (offset, number) in numbers.enumerated() {
                add(
                    [try await self.put(posts[number], number: row.inboxCount + UInt64(offset) + 1, to: row, writeID)],
                    .message(number))
            }
            add(self.tell(row, new))
        }
        for (number, pair) in consumed.enumerated() {
            var expression = Expression()
            expression.requirePresence()
            expression.require(RunAttribute.life, .binary(old.life))
            expression.change([
                ("consumed_by", .string(pair.step)), (RunAttribute.revision, .number(commit.progress.revision)),
            ])
            add(
                [
                    self.action(
                        .update(key: RunKey.key(RunKey.partition(old.id), RunKey.message(pair.message))), expression)
                ], .consumed(number))
        }
        var new = old.going(on: commit.progress, inboxCount: inboxCount, writeID: writeID)
        let deletions = draft.deletions.map { self.action(.delete(key: $0)) }
        let moves = self.moves(from: old.markers(self.layout), to: new.markers(self.layout))
        let puts = Self.packed(
            draft.puts, draft.items, others: 1 + actions.count + deletions.count + moves.count)
        if puts.count < draft.puts.count { new.packs += puts.count }
        new.parts = puts.count + consumed.count
        var writer = draft.writer
        add([self.update(old, try new.changing(from: old, self.layout, &writer))], .run)
        if writer.chunks.count > draft.writer.chunks.count {
            try await self.upload(Array(writer.chunks[draft.writer.chunks.count...]), old.id)
        }
        add(puts.map { self.action(.put($0)) })
        add(deletions)
        add(moves)
        guard actions.count <= Self.mostActions else {
            throw StoreError(
                .payloadTooLarge, operation: .write, persistenceID: old.id,
                message: "the change has \(actions.count) parts that must be written together, DynamoDB takes"
                    + " \(Self.mostActions); post to fewer runs, or remove fewer steps, at once")
        }
        return (actions, roles, new)
    }

    // MARK: Messages

    /// The messages that a change posts, those left out that their runs have already.
    private struct Posts {
        private var messages: [(runID: String, message: RunMessage)]
        private var dropped: Set<Int> = []

        init(_ messages: [(runID: String, message: RunMessage)]) {
            self.messages = messages
            // Of several of one ID to one run the first counts.
            var seen: Set<[IDKey]> = []
            for (number, post) in messages.enumerated()
            where !seen.insert([IDKey(post.runID), IDKey(post.message.id)]).inserted {
                self.dropped.insert(number)
            }
        }

        subscript(number: Int) -> RunMessage { self.messages[number].message }

        mutating func drop(_ number: Int) { self.dropped.insert(number) }

        /// The runs in the order of their first messages, each with the numbers of its messages.
        var targets: [(runID: String, numbers: [Int])] {
            var targets: [(runID: String, numbers: [Int])] = []
            var places: [IDKey: Int] = [:]
            for (number, post) in self.messages.enumerated() where !self.dropped.contains(number) {
                let key = IDKey(post.runID)
                if let place = places[key] {
                    targets[place].numbers.append(number)
                } else {
                    places[key] = targets.count
                    targets.append((post.runID, [number]))
                }
            }
            return targets
        }
    }

    /// The item of a message; fails where there is one of its ID already.
    private func put(
        _ message: RunMessage, number: UInt64, to row: RunRow, _ writeID: WriteID
    ) async throws(StoreError) -> TransactionAction {
        // A name of its own: several messages of one write may have chunks in one partition.
        var writer = RunValueWriter(
            runID: row.id, life: row.life, writeID: self.session.writeIDs.next(), limit: self.limit)
        let items = RunItems(runID: row.id, life: row.life, revision: 0, time: message.postedAt)
        let item = try items.message(message, number: number, writeID: writeID, &writer)
        try await self.upload(writer.chunks, row.id)
        return self.action(.put(item), .isFree(for: row.life))
    }

    /// What tells a run of its messages, and wakes it.
    private func tell(_ old: RunRow, _ new: RunRow) -> [TransactionAction] {
        [self.update(old, new.changes(from: old, self.layout))]
            + self.moves(from: old.markers(self.layout), to: new.markers(self.layout))
    }

    func post(_ message: RunMessage, to id: String) async throws(StoreError) -> PostVerdict {
        try await self.attempting { (mayHaveHappened) throws(StoreError) in
            try await self.post(message, to: id, &mayHaveHappened)
        }
    }

    private func post(
        _ message: RunMessage, to id: String, _ mayHaveHappened: inout Bool
    ) async throws(StoreError) -> PostVerdict {
        let writeID = self.session.writeIDs.next()
        var row = self.known[id]
        if row == nil { row = try await self.row(id) }
        for round in 0..<Self.attempts {
            // It may have been taken, and gone with its run.
            guard let old = row else { return mayHaveHappened ? .posted : .notFound }
            if old.status.isEnded {
                let key = RunKey.key(RunKey.partition(id), RunKey.message(message.id))
                let found = try await self.get(key, of: id)
                guard found?[RunAttribute.life]?.bytes == old.life else { return .ended(old.status) }
                return found?[RunAttribute.writeID]?.bytes == writeID.bytes ? .posted : .duplicate
            }
            var new = old.going(
                on: old.progress, inboxCount: old.inboxCount + 1, writeID: writeID, parts: old.parts)
            new.writeID = old.writeID
            let put = try await self.put(message, number: new.inboxCount, to: old, writeID)
            let sent = try await self.send([put] + self.tell(old, new), token: "\(writeID.text)-\(round)", id)
            guard case .refused(let reasons, let mayHave) = sent else {
                self.known.remember(new)
                return .posted
            }
            mayHaveHappened = mayHaveHappened || mayHave
            if reasons.first?.code == "ConditionalCheckFailed" {
                self.known.forget(id)
                // Ours, where the answer to an earlier attempt was lost.
                return reasons.first?.item?[RunAttribute.writeID]?.bytes == writeID.bytes ? .posted : .duplicate
            }
            row = try await self.row(id)
        }
        throw self.restless(id)
    }
}
