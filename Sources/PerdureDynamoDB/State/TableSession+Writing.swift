internal import PerdureModel
internal import PerdureState

extension TableSession {
    /// What to do after a condition that was not met.
    private enum Next {
        case done
        /// The payload that is there is in these chunks: the same write again, minding them.
        case again(chunks: AttributeValue?)
    }

    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        let deadline = self.deadline(.write)
        let writeID = self.writeIDs.next()
        guard state.payload.bytes.count > StateItem.inlineLimit else {
            return try await self.write(state, if: condition, writeID, chunks: nil, deadline: deadline)
        }
        // The chunks are complete before the item says where they are; nobody ever sees half of them.
        let chunks = ChunkSet(state.payload, writeID: writeID)
        do throws(StoreError) {
            for number in 0..<chunks.count {
                let item = chunks.item(
                    number, of: state.payload.bytes, id: state.persistenceID,
                    unixMilliseconds: self.client.settings.clock.unixMilliseconds)
                // Chunks have a name of their own: writing one twice writes the same.
                try await self.perform(
                    .putItem(
                        table: self.table, item: item, byteCount: ChunkSet.chunkByteCount * 4 / 3 + 1_024,
                        isRepeatable: true, reportsCapacity: self.reportsCapacity), .write, of: state.persistenceID,
                    deadline: deadline)
            }
        } catch {
            await self.removeChunks(chunks)
            // Nothing refers to them: as if nothing had been written.
            throw error.with(outcome: .notApplied)
        }
        do throws(StoreError) {
            try await self.write(state, if: condition, writeID, chunks: chunks, deadline: deadline)
        } catch {
            // Should the item still get there, it must find its chunks.
            if error.outcome == .notApplied { await self.removeChunks(chunks) }
            throw error
        }
    }

    private func write(
        _ state: DurableState, if condition: WriteCondition, _ writeID: WriteID, chunks: ChunkSet?, deadline: Duration
    ) async throws(StoreError) {
        let id = state.persistenceID
        let item = StateItem.item(state, writeID: writeID, chunks: chunks, unit: self.configuration.storedUnit)
        let byteCount = chunks == nil ? state.payload.bytes.count * 4 / 3 + 1_024 : 1_024
        var oldChunks: AttributeValue?
        var mayHaveHappened = false
        // Each round has learned of other chunks than the one before; that many seldom change in the time of a write.
        for round in 0..<16 {
            let request: Operation<Void> =
                switch condition {
                case .version(let version):
                    .putItem(
                        table: self.table, item: item, StoreCondition.isVersion(version, chunks: oldChunks),
                        byteCount: byteCount, isRepeatable: true, reportsCapacity: self.reportsCapacity)
                case .always:
                    // Written twice it could wipe out what others wrote in between: nothing tells that it is there already.
                    .putItem(
                        table: self.table, item: item, StoreCondition.hasChunks(oldChunks), byteCount: byteCount,
                        isRepeatable: false, reportsCapacity: self.reportsCapacity)
                case .absent:
                    .transactWriteItems(
                        [
                            TransactionAction(.put(item), table: self.table, StoreCondition.isAbsent),
                            TransactionAction(
                                .check(key: StateItem.key(TechnicalKey.tombstone(of: id))), table: self.table,
                                StoreCondition.isEarlier(than: state.version)),
                        ], token: "\(writeID.text)-\(round)", byteCount: byteCount,
                        reportsCapacity: self.reportsCapacity)
                }
            do throws(CallFailure) {
                try await self.client.perform(request, deadline: deadline)
                await self.removeChunks(oldChunks)
                return
            } catch {
                mayHaveHappened = mayHaveHappened || error.mayHaveHappened
                guard let fault = error.fault, fault.isFailedCondition else {
                    throw error.storeError(.write, of: id, mayHaveHappened: mayHaveHappened)
                }
                let next = try await self.next(
                    after: fault, state, condition, writeID, oldChunks, mayHaveHappened, deadline: deadline)
                switch next {
                case .done:
                    await self.removeChunks(oldChunks)
                    return
                case .again(let chunks): oldChunks = chunks
                }
            }
        }
        throw self.restless(.write, id, mayHaveHappened)
    }

    /// Looks at what stood in the way of a write.
    private func next(
        after fault: ServiceFault, _ state: DurableState, _ condition: WriteCondition, _ writeID: WriteID,
        _ oldChunks: AttributeValue?, _ mayHaveHappened: Bool, deadline: Duration
    ) async throws(StoreError) -> Next {
        let id = state.persistenceID
        let found = (condition == .absent ? fault.reasons.first?.item : fault.item).map { StoredHead($0) }
        // The answer to an earlier attempt was lost, and it had come through.
        if let found, found.writeID == writeID.bytes { return .done }
        switch condition {
        case .always:
            guard found?.chunks != oldChunks else { break }
            return .again(chunks: found?.chunks)
        case .version(let version):
            if let found, found.version == version, found.chunks != oldChunks { return .again(chunks: found.chunks) }
        case .absent: break
        }
        if mayHaveHappened { throw self.overwritten(.write, id) }
        if let found { throw .conflict(.write, of: id, condition: condition, stored: found.version) }
        let stored: UInt64
        if condition == .absent, fault.reasons.count > 1, let item = fault.reasons[1].item {
            stored = Tombstone(item).version
        } else {
            stored = try await self.tombstone(of: id, .write, deadline: deadline)?.version ?? 0
        }
        throw .conflict(.write, of: id, condition: condition, stored: stored)
    }

    // MARK: Deleting

    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        let deadline = self.deadline(.delete)
        switch condition {
        case .absent:
            guard let head = try await self.head(of: id, deadline: deadline) else { return }
            throw .conflict(.delete, of: id, condition: condition, stored: head.version)
        case .version(let version): try await self.delete(id, version: version, deadline: deadline)
        case .always: try await self.deleteAlways(id, deadline: deadline)
        }
    }

    private func delete(_ id: String, version: UInt64, deadline: Duration) async throws(StoreError) {
        let writeID = self.writeIDs.next()
        var chunks: AttributeValue?
        var mayHaveHappened = false
        for round in 0..<16 {
            do throws(CallFailure) {
                try await self.client.perform(
                    self.deletion(
                        id, StoreCondition.isVersion(version, chunks: chunks), version: version, writeID, round),
                    deadline: deadline)
                return await self.removeChunks(chunks)
            } catch {
                mayHaveHappened = mayHaveHappened || error.mayHaveHappened
                guard let fault = error.fault, fault.isFailedCondition else {
                    throw error.storeError(.delete, of: id, mayHaveHappened: mayHaveHappened)
                }
                if let found = fault.reasons.first?.item.map({ StoredHead($0) }) {
                    if found.version == version, found.chunks != chunks {
                        chunks = found.chunks
                        continue
                    }
                    if mayHaveHappened { throw self.overwritten(.delete, id) }
                    throw .conflict(.delete, of: id, condition: .version(version), stored: found.version)
                }
                let tombstone: Tombstone?
                do throws(StoreError) {
                    tombstone = try await self.tombstone(of: id, .delete, deadline: deadline)
                } catch {
                    throw mayHaveHappened ? error.with(outcome: .unknown) : error
                }
                if tombstone?.writeID == writeID.bytes { return await self.removeChunks(chunks) }
                if mayHaveHappened { throw self.overwritten(.delete, id) }
                throw .conflict(.delete, of: id, condition: .version(version), stored: tombstone?.version ?? 0)
            }
        }
        throw self.restless(.delete, id, mayHaveHappened)
    }

    private func deleteAlways(_ id: String, deadline: Duration) async throws(StoreError) {
        var head = try await self.head(of: id, deadline: deadline)
        var mayHaveHappened = false
        var round = 0
        while let found = head {
            let writeID = self.writeIDs.next()
            do throws(CallFailure) {
                try await self.client.perform(
                    self.deletion(id, StoreCondition.isUnchanged(found), version: found.version, writeID, 0),
                    deadline: deadline)
                return await self.removeChunks(found.chunks)
            } catch {
                mayHaveHappened = mayHaveHappened || error.mayHaveHappened
                guard let fault = error.fault, fault.isFailedCondition else {
                    throw error.storeError(.delete, of: id, mayHaveHappened: mayHaveHappened)
                }
                head = fault.reasons.first?.item.map { StoredHead($0) }
                if head != nil, mayHaveHappened { throw self.overwritten(.delete, id) }
                round += 1
                if round > 64 || self.client.now >= deadline { throw self.restless(.delete, id, mayHaveHappened) }
            }
        }
    }

    /// Takes the item away and leaves the tombstone, both or neither.
    private func deletion(
        _ id: String, _ condition: Expression, version: UInt64, _ writeID: WriteID, _ round: Int
    ) -> Operation<Void> {
        let (next, overflow) = version.addingReportingOverflow(1)
        let expiry = self.configuration.tombstoneLifetime.map { lifetime in
            (self.client.settings.clock.unixMilliseconds + lifetime.wholeMilliseconds) / 1_000
        }
        let tombstone = Tombstone.item(of: id, version: overflow ? version : next, writeID: writeID, expiry: expiry)
        return .transactWriteItems(
            [
                TransactionAction(.delete(key: StateItem.key(id)), table: self.table, condition),
                TransactionAction(.put(tombstone), table: self.table),
            ], token: "\(writeID.text)-\(round)", reportsCapacity: self.reportsCapacity)
    }

    // MARK: What is there

    /// What a deletion has to know of the item, without its payload.
    func head(of id: String, deadline: Duration) async throws(StoreError) -> StoredHead? {
        var expression = Expression()
        expression.projection = "PersistenceID, VersionNumber, WriteID, Chunks"
        return try await self.perform(
            .getItem(
                table: self.table, key: StateItem.key(id), isConsistent: true, expression,
                reportsCapacity: self.reportsCapacity), .delete, of: id, deadline: deadline
        ).map { StoredHead($0) }
    }

    private func tombstone(
        of id: String, _ operation: StoreError.Operation, deadline: Duration
    ) async throws(StoreError) -> Tombstone? {
        try await self.perform(
            .getItem(
                table: self.table, key: StateItem.key(TechnicalKey.tombstone(of: id)), isConsistent: true,
                reportsCapacity: self.reportsCapacity), operation, of: id, deadline: deadline
        ).map { Tombstone($0) }
    }

    private func overwritten(_ operation: StoreError.Operation, _ id: String) -> StoreError {
        StoreError(
            .unavailable, outcome: .unknown, operation: operation, persistenceID: id,
            message: "the answer was lost, and others have written since; read the state again and decide anew")
    }

    private func restless(
        _ operation: StoreError.Operation, _ id: String, _ mayHaveHappened: Bool
    ) -> StoreError {
        StoreError(
            .unavailable, outcome: mayHaveHappened ? .unknown : .notApplied, operation: operation, persistenceID: id,
            message: "the state was replaced again and again by others meanwhile; try again")
    }

    // MARK: Chunks

    private func removeChunks(_ value: AttributeValue?) async {
        guard let value, let chunks = try? ChunkSet(value) else { return }
        await self.removeChunks(chunks)
    }

    /// Removes chunks that nothing refers to.
    ///
    /// What fails is left behind: it costs storage and nothing else, and is found by
    /// ``removeOrphanedChunks(olderThan:)``.
    private func removeChunks(_ chunks: ChunkSet) async {
        let deadline = self.client.now + self.configuration.readTimeout
        let writes = (0..<chunks.count).map { BatchWrite.delete(key: StateItem.key(chunks.key($0))) }
        var start = 0
        while start < writes.count {
            let page = Array(writes[start..<min(start + 25, writes.count)])
            guard (try? await self.writeBatch(page, isRepeatable: true, deadline: deadline)) != nil else { return }
            start += 25
        }
    }

    /// Writes up to 25 items or deletions of different keys; what the service does not get to is sent again.
    func writeBatch(_ writes: [BatchWrite], isRepeatable: Bool, deadline: Duration) async throws(StoreError) {
        var rest = writes
        var round = 0
        while true {
            do throws(StoreError) {
                rest = try await self.perform(
                    .batchWriteItem(
                        table: self.table, writes: rest, isRepeatable: isRepeatable,
                        reportsCapacity: self.reportsCapacity), .write, deadline: deadline)
                if rest.isEmpty { return }
                round += 1
                try await self.pause(round, .write, deadline: deadline)
            } catch {
                // Some were written before; which, is not worth remembering.
                throw rest.count < writes.count ? error.with(outcome: .unknown) : error
            }
        }
    }
}
