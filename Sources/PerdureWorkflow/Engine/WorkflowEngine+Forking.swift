internal import PerdureModel

extension WorkflowEngine {
    /// What of a run is different in a fork of it.
    public struct ForkEdit: Sendable {
        enum Change: Sendable {
            case nothing
            case input(RunValue)
            case output(RunValue)
        }
        let change: Change

        /// The step runs again with the input that it had.
        public static var none: ForkEdit { ForkEdit(change: .nothing) }
        /// The step runs again, with this input: of the type that it takes.
        public static func input(_ value: some Codable & Sendable) -> ForkEdit {
            ForkEdit(change: .input(RunValue(value)))
        }
        /// The step does not run: this is its output, of the type that it gives.
        public static func output(_ value: some Codable & Sendable) -> ForkEdit {
            ForkEdit(change: .output(RunValue(value)))
        }
        /// As ``input(_:)``, with a value whose type is not known here.
        package static func input(value: RunValue) -> ForkEdit { ForkEdit(change: .input(value)) }
        /// As ``output(_:)``, with a value whose type is not known here.
        package static func output(value: RunValue) -> ForkEdit { ForkEdit(change: .output(value)) }
    }

    /// Starts a new run that has done what another has done before a step, and goes on from that step.
    ///
    /// The other run stays as it is, whatever its status. What it has recorded of steps that do not come after the step is taken over;
    /// the step and those after it run anew.
    ///
    /// - Parameters:
    ///   - runID: the run to fork.
    ///   - step: the step's name.
    ///   - edit: what is different.
    ///   - id: the new run's ID; nil for one of its own.
    /// - Returns: the new run's ID.
    /// - Throws: ``WorkflowError``: ``RunFailure/Code/notFound`` where there is no such run, the engine does not have its workflow,
    ///   or the workflow has no such step; ``RunFailure/Code/validation`` where a step before it has no result yet, or the new ID is
    ///   taken. ``StoreError``.
    @discardableResult
    public func fork(
        _ runID: String, from step: String, edit: ForkEdit = .none, id: String? = nil
    ) async throws -> String {
        guard let snapshot = try await self.core.store.snapshot(of: runID) else { throw WorkflowError.noRun(runID) }
        guard let plan = self.core.plan(snapshot.run.request.workflow) else {
            throw WorkflowError(.notFound, runID: runID, message: "the engine was not made with the run's workflow")
        }
        guard let index = plan.graph.index(ofStep: step) else {
            throw WorkflowError(.notFound, runID: runID, step: step, message: "the workflow has no such step")
        }
        let id = id ?? Self.newID()
        let now = self.core.clock.unixMilliseconds
        let record = StepRecord(
            id: plan.nodes[index].name, position: plan.graph.positions[index],
            definitionHash: plan.graph.hashes[index])
        return try await self.fork(self.creation(of: id, snapshot, plan, index, now), from: record, edit, runID, now)
    }

    /// Starts a new run that has done what another has recorded of the steps before a step, and goes on from that step; for
    /// clients that do not know the workflow.
    ///
    /// What counts is the order of the definition as it is recorded: the step, and all that are declared behind it, run anew, also those
    /// of other branches. ``fork(_:from:edit:id:)``, which knows the definition, takes the latter over.
    ///
    /// - Parameters:
    ///   - runID: the run to fork.
    ///   - step: the step's name; the run must have come to it.
    ///   - edit: what is different.
    ///   - id: the new run's ID; nil for one of its own.
    /// - Returns: the new run's ID.
    /// - Throws: ``WorkflowError``: ``RunFailure/Code/notFound`` where there is no such run, or nothing is recorded of the step;
    ///   ``RunFailure/Code/validation`` where the new ID is taken. ``StoreError``.
    @discardableResult
    public func fork(
        _ runID: String, fromRecorded step: String, edit: ForkEdit = .none, id: String? = nil
    ) async throws -> String {
        guard let snapshot = try await self.core.store.snapshot(of: runID) else { throw WorkflowError.noRun(runID) }
        guard let place = snapshot.steps.first(where: { IDKey($0.id) == IDKey(step) && $0.item == nil }) else {
            let names = snapshot.steps.filter { $0.item == nil }.map(\.id.debugDescription)
            throw WorkflowError(
                .notFound, runID: runID, step: step,
                message: "nothing is recorded of the step \(step.debugDescription); there are records of"
                    + " \(names.isEmpty ? "none" : names.joined(separator: ", "))")
        }
        let id = id ?? Self.newID()
        let now = self.core.clock.unixMilliseconds
        let kept = snapshot.steps.filter { $0.position < place.position && Self.isKept($0) }
        let creation = Self.creation(
            of: id, snapshot, keeping: kept, version: snapshot.run.request.version,
            hash: snapshot.run.progress.definitionHash, now)
        let record = StepRecord(id: place.id, position: place.position, definitionHash: place.definitionHash)
        return try await self.fork(creation, from: record, edit, runID, now)
    }

    /// Starts the new run, with what is different in it.
    private func fork(
        _ creation: RunCreation, from record: StepRecord, _ edit: ForkEdit, _ runID: String, _ now: Int64
    ) async throws -> String {
        var (creation, record) = (creation, record)
        do {
            switch edit.change {
            case .nothing: break
            case .input(let value):
                if !self.core.keepsLiveValues { _ = try value.bytes }
                record.input = value
                creation.steps.append(record)
            case .output(let value):
                if !self.core.keepsLiveValues { _ = try value.bytes }
                record.status = .completed
                record.completedAt = now
                record.output = value
                creation.steps.append(record)
            }
        } catch {
            throw WorkflowError(
                .validation, runID: runID, step: record.id,
                message: "the edited value cannot be stored: \(error.message)", underlying: error)
        }
        let id = creation.request.id
        guard case .created = try await self.core.create(creation) else {
            throw WorkflowError(.validation, runID: id, message: "there is a run of this ID already")
        }
        self.core.work.ring()
        return id
    }

    /// Whether a step's result can be taken over.
    private static func isKept(_ record: StepRecord) -> Bool {
        record.status.isEnded && record.status != .cancelled && (record.status != .failed || record.output != nil)
    }

    private func creation(
        of id: String, _ snapshot: RunSnapshot, _ plan: RunPlan, _ index: Int, _ now: Int64
    ) throws(WorkflowError) -> RunCreation {
        let runID = snapshot.run.id
        let ended = snapshot.steps.filter(Self.isKept)
        for ancestor in plan.graph.ancestors[index] where !plan.nodes[ancestor].isVirtual {
            let name = plan.nodes[ancestor].name
            guard ended.contains(where: { IDKey($0.id) == IDKey(name) }) else {
                throw WorkflowError(
                    .validation, runID: runID, step: name,
                    message: "the step comes before the one to go on from, and has no result yet")
            }
        }
        var kept: [StepRecord] = []
        for record in ended {
            let name = record.item.map { String(record.id.dropLast("[\($0)]".count)) } ?? record.id
            guard let place = plan.graph.index(ofStep: name), place != index,
                !plan.graph.ancestors[place].contains(index)
            else { continue }
            kept.append(record)
        }
        return Self.creation(
            of: id, snapshot, keeping: kept, version: plan.graph.version, hash: plan.graph.hash, now)
    }

    private static func creation(
        of id: String, _ snapshot: RunSnapshot, keeping kept: [StepRecord], version: String, hash: UInt64, _ now: Int64
    ) -> RunCreation {
        let request = snapshot.run.request
        var copy = RunRequest(
            id: id, workflow: request.workflow, version: version, input: request.input, createdAt: now)
        copy.context = request.context
        copy.resourceID = request.resourceID
        copy.tags = request.tags
        copy.priority = request.priority
        copy.workflowLimit = request.workflowLimit
        copy.resourceLimit = request.resourceLimit
        copy.trigger = request.trigger
        copy.forkedFrom = request.id
        let state = snapshot.state.filter { entry in kept.contains { IDKey($0.id) == IDKey(entry.step) } }
        return RunCreation(
            request: copy, progress: RunProgress(definitionHash: hash, at: now), steps: kept, state: state)
    }
}
