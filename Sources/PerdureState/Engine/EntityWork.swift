/// What one command does while it has its entity's turn: read if need be, ask the behavior, write, install.
@usableFromInline
struct EntityWork<Behavior: DurableStateBehavior> {
    @usableFromInline typealias Failure = CommandError<Behavior.Rejection>

    @usableFromInline let kind: EntityKind<Behavior>
    @usableFromInline let live: LiveEntity<Behavior>
    @usableFromInline let progress: CommandProgress?
    /// Whether the state was read from the store for this very command.
    @usableFromInline var isFresh = false
    @usableFromInline var conflicts = 0

    @inlinable
    init(kind: EntityKind<Behavior>, live: LiveEntity<Behavior>, progress: CommandProgress?) {
        self.kind = kind
        self.live = live
        self.progress = progress
    }

    @inlinable @inline(__always)
    mutating func carryOut(_ command: Behavior.Command) async throws(Failure) -> CommandResult<Behavior> {
        while true {
            guard case .current(let state, let version, let exists) = self.live.memory else {
                try await self.read()
                continue
            }
            let effect: ReplyEffect<Behavior.State, Behavior.Reply>
            do throws(Behavior.Rejection) {
                effect = try self.live.behavior.handle(command, in: state)
            } catch {
                // Another process may have changed what the refusal rests on.
                if try await self.isOutdated() { continue }
                throw .rejected(error)
            }
            let next: Behavior.State
            let change: StateChange
            switch effect.change {
            case .persist(let new):
                next = new
                change = .written(try self.encode(new, version: version + 1))
            case .delete where exists:
                next = self.live.behavior.initialState
                change = .deleted(persistenceID: self.live.id, version: version + 1)
            case .none, .delete:
                if try await self.isOutdated() { continue }
                return CommandResult(state: state, version: version, reply: effect.reply)
            }
            guard try await self.write(change, over: version, exists: exists) else { continue }
            self.install(next, change)
            return CommandResult(state: next, version: version + 1, reply: effect.reply)
        }
    }

    // MARK: Reading

    /// Reads what is stored into memory.
    @usableFromInline
    mutating func read() async throws(Failure) {
        let floor =
            switch self.live.memory {
            case .unread(let floor): floor
            case .current(_, let version, _): version
            }
        let clock = self.kind.host.clock
        let started = clock.now
        let stored: DurableState?
        do throws(CommandFailure) {
            stored = try await self.kind.host.read(self.live.id)
        } catch {
            throw Failure(error)
        }
        if let stored {
            guard stored.version < .max else { throw self.exhausted(stored) }
            self.live.memory = .current(try self.decode(stored), version: stored.version, exists: true)
        } else {
            self.live.memory = .current(self.live.behavior.initialState, version: floor, exists: false)
        }
        self.isFresh = true
        self.kind.host.observer?.observe(
            .entityActivated(persistenceID: self.live.id, version: stored?.version ?? 0, took: clock.now - started))
    }

    /// Whether an answer that writes nothing rests on an outdated state; if so, it was read again and the command must be
    /// handled anew.
    @inlinable
    mutating func isOutdated() async throws(Failure) -> Bool {
        if self.isFresh || !self.kind.host.isShared { return false }
        return try await self.readAgain()
    }

    @usableFromInline
    mutating func readAgain() async throws(Failure) -> Bool {
        guard case .current(_, let version, let exists) = self.live.memory else { return true }
        try await self.read()
        guard case .current(_, let newVersion, let newExists) = self.live.memory else { return true }
        return version != newVersion || exists != newExists
    }

    private func exhausted(_ stored: DurableState) -> Failure {
        .store(
            StoreError(
                .corrupted, operation: .read, persistenceID: self.live.id,
                message: "version \(stored.version) is stored, which no version can follow; nothing was changed"))
    }

    private func decode(_ stored: DurableState) throws(Failure) -> Behavior.State {
        do {
            return try self.live.codec.decode(stored.payload)
        } catch PayloadError.Code.noState {
            // eGo stores an entity whose state is nil: it has a version and nothing else.
            return self.live.behavior.initialState
        } catch {
            throw .store(
                StoreError(
                    .undecodable, operation: .read, persistenceID: self.live.id,
                    message: "the state under manifest \(stored.payload.manifest.debugDescription) cannot be read as"
                        + " \(Behavior.State.self); nothing was changed",
                    underlying: error))
        }
    }

    // MARK: Writing

    @inlinable @inline(__always)
    func encode(_ state: Behavior.State, version: UInt64) throws(Failure) -> DurableState {
        do {
            return DurableState(
                persistenceID: self.live.id, version: version, payload: try self.live.codec.encode(state),
                timestamp: self.kind.host.clock.unixMilliseconds,
                shard: self.live.shard)
        } catch {
            throw self.live.encodingFailed(error)
        }
    }

    /// Writes or deletes; false after a conflict, when the command must be handled again.
    @inlinable @inline(__always)
    mutating func write(_ change: StateChange, over version: UInt64, exists: Bool) async throws(Failure) -> Bool {
        let host = self.kind.host
        if host.hasPublishers || self.progress != nil {
            do throws(CommandFailure) { try host.prepareWrite(self.progress) } catch { throw Failure(error) }
        }
        do throws(StoreError) {
            switch change {
            case .written(let state): try await host.store.write(state, if: exists ? .version(version) : .absent)
            case .deleted(let id, _): try await host.store.delete(id, if: .version(version))
            }
        } catch {
            try await self.recover(from: error, version: version)
            return false
        }
        if host.hasPublishers { host.publish(change) }
        return true
    }

    /// Makes sure that what is in memory is right after a failed write; throws unless the command should be handled again.
    @usableFromInline
    mutating func recover(from error: StoreError, version: UInt64) async throws(Failure) {
        self.conflicts += 1
        // With an unknown outcome the write may be there or still arrive. Reading before the next command shows the former; the
        // condition of the next write fails on the latter.
        if error.outcome == .unknown {
            self.live.memory = .unread(floor: version)
        } else {
            self.progress?.endWriting()
        }
        if error.code == .conflict { self.live.memory = .unread(floor: error.storedVersion ?? 0) }
        do throws(CommandFailure) {
            try await self.kind.host.judge(error, on: self.live.id, conflicts: self.conflicts)
        } catch {
            throw Failure(error)
        }
    }

    @inlinable @inline(__always)
    func install(_ state: Behavior.State, _ change: StateChange) {
        switch change {
        case .written(let written):
            self.live.memory = .current(state, version: written.version, exists: true)
            if self.kind.isObserved {
                self.kind.announce(self.live.id, version: written.version, state: state, timestamp: written.timestamp)
            }
        case .deleted(_, let version):
            self.live.memory = .current(state, version: version, exists: false)
            self.kind.announce(
                self.live.id, version: version, state: nil,
                timestamp: self.kind.host.clock.unixMilliseconds)
        }
    }
}
