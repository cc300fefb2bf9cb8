internal import PerdureModel
internal import PerdureState
internal import PerdureWorkflow

// Classes, because a batch's columns are written one after the other: each looks at every job again, and copying a large struct
// costs a reference count for each of its fields.

/// A creation with everything encoded, in the caller's task rather than on the loop.
final class CreateJob: Sendable {
    let request: RunRequest
    let progress: EncodedProgress
    let steps: [EncodedStep]
    let state: [EncodedState]
    let input: [UInt8]
    let context: [UInt8]?
    let tags: [UInt8]?
    let trigger: [UInt8]?
    let write: WriteID
    let weight: Int

    init(_ creation: RunCreation, write: WriteID, limit: Int) throws(StoreError) {
        let request = creation.request
        var encoding = RunEncoding(of: request.id, limit: limit)
        self.request = request
        self.progress = try EncodedProgress(creation.progress, &encoding)
        self.steps = try RunEncoding.last(of: creation.steps, by: { IDKey($0.id) }).map { step throws(StoreError) in
            try EncodedStep(step, &encoding)
        }
        self.state = try RunEncoding.last(
            of: creation.state, by: { StateKey(key: IDKey($0.key), step: IDKey($0.step)) }
        ).map { record throws(StoreError) in try EncodedState(record, &encoding) }
        self.input = try encoding.bytes(request.input)
        self.context = try encoding.bytes(request.context)
        self.tags = request.tags.isEmpty ? nil : try encoding.json(request.tags)
        self.trigger = try request.trigger.map { trigger throws(StoreError) in try encoding.json(trigger) }
        self.write = write
        self.weight = encoding.total
    }
}

/// A change of a run with everything encoded.
final class CommitJob: Sendable {
    let runID: String
    let revision: Int64
    let fence: Int64
    let progress: EncodedProgress
    let steps: [EncodedStep]
    let state: [EncodedState]
    let consumed: [(message: String, step: String)]
    let removedSteps: [String]
    let posts: [EncodedPost]
    let write: WriteID
    let weight: Int

    init(_ commit: RunCommit, write: WriteID, limit: Int) throws(StoreError) {
        var encoding = RunEncoding(of: commit.runID, limit: limit)
        self.runID = commit.runID
        // Larger than any that is stored, if they do not fit: then the condition does not hold.
        self.revision = Int64(clamping: commit.expectedRevision)
        self.fence = Int64(clamping: commit.expectedFence)
        self.progress = try EncodedProgress(commit.progress, &encoding)
        // The last record of an ID counts, and a statement must not touch a row twice.
        self.steps = try RunEncoding.last(of: commit.steps, by: { IDKey($0.id) })
            .map { step throws(StoreError) in try EncodedStep(step, &encoding) }
        self.state = try RunEncoding.last(
            of: commit.state, by: { StateKey(key: IDKey($0.key), step: IDKey($0.step)) }
        )
        .map { record throws(StoreError) in try EncodedState(record, &encoding) }
        // What no message or step can be called is none of them.
        self.consumed = commit.consumed.filter {
            !PersistenceID.containsNUL($0.message) && !PersistenceID.containsNUL($0.step)
        }
        self.removedSteps = commit.removedSteps.filter { !PersistenceID.containsNUL($0) }
        self.posts = try commit.posts.map { post throws(StoreError) in
            try EncodedPost(post.message, to: post.runID, &encoding)
        }
        self.write = write
        self.weight = encoding.total
    }

    /// Whether the run waits for a worker afterwards, or would if it had mail.
    var releases: Bool {
        self.progress.content.owner == nil && self.progress.content.status.isDrivable
    }
}

/// A message on its way to a run.
final class EncodedPost: Sendable {
    let runID: String
    let message: RunMessage
    let payload: [UInt8]?
    let kind: String
    let name: String?
    let reason: [UInt8]?
    let childStatus: String?
    let childError: [UInt8]?

    init(_ message: RunMessage, to runID: String, _ encoding: inout RunEncoding) throws(StoreError) {
        self.runID = runID
        self.message = message
        self.payload = try encoding.bytes(message.payload)
        switch message.kind {
        case .signal(let signal):
            (self.kind, self.name, self.reason) = ("signal", signal, nil)
            (self.childStatus, self.childError) = (nil, nil)
        case .childEnded(let child, let status, let failure):
            (self.kind, self.name, self.reason) = ("child", child, nil)
            self.childStatus = status.rawValue
            self.childError = try failure.map { failure throws(StoreError) in try encoding.json(failure) }
        case .cancel(let reason):
            (self.kind, self.name, self.reason) = ("cancel", nil, Array(reason.utf8))
            (self.childStatus, self.childError) = (nil, nil)
        case .pause:
            (self.kind, self.name, self.reason) = ("pause", nil, nil)
            (self.childStatus, self.childError) = (nil, nil)
        }
    }
}

final class EncodedProgress: Sendable {
    let content: RunProgress
    let failure: [UInt8]?
    let output: [UInt8]?
    let wake: Int64
    let wakeAt: Int64?

    init(_ progress: RunProgress, _ encoding: inout RunEncoding) throws(StoreError) {
        self.content = progress
        self.failure = try progress.failure.map { failure throws(StoreError) in try encoding.json(failure) }
        self.output = try encoding.bytes(progress.output)
        switch progress.wake {
        case .never: (self.wake, self.wakeAt) = (0, nil)
        case .now: (self.wake, self.wakeAt) = (1, nil)
        case .at(let time): (self.wake, self.wakeAt) = (2, time)
        }
    }
}

final class EncodedStep: Sendable {
    let content: StepRecord
    let input: [UInt8]?
    let output: [UInt8]?
    let failure: [UInt8]?

    init(_ step: StepRecord, _ encoding: inout RunEncoding) throws(StoreError) {
        self.content = step
        self.input = try encoding.bytes(step.input)
        self.output = try encoding.bytes(step.output)
        self.failure = try step.failure.map { failure throws(StoreError) in try encoding.json(failure) }
    }
}

struct EncodedState: Sendable {
    let key: String
    let step: String
    let value: [UInt8]?

    init(_ record: StateRecord, _ encoding: inout RunEncoding) throws(StoreError) {
        self.key = record.key
        self.step = record.step
        self.value = try encoding.bytes(record.value)
    }
}

private struct StateKey: Hashable {
    let key: IDKey
    let step: IDKey
}
