/// A commit that goes wrong as planned, for tests: what a disk does seldom, and at no convenient time.
enum CommitFault: Sendable {
    /// The commit happens, and its answer is lost.
    case answerLost
    /// The commit does not happen, and nobody can tell.
    case requestLost

    /// Decides about the commit of a batch with these IDs. Called on the writer's thread.
    typealias Plan = @Sendable (_ ids: [String]) -> CommitFault?
}
