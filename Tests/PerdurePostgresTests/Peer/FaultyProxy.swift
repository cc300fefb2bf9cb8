import Peers
import PerdureConcurrency

/// Stands between the store and a real server, and does to their conversation what networks do.
///
/// It forwards bytes as they come; TLS must be off. Its threads end with ``stop()``.
final class FaultyProxy: Sendable {
    /// Which change of an ID fails, and how. The change is known by its statement's name and the ID in the message.
    enum Loss { case request, answer }

    private struct Plan {
        var losses: [(id: [UInt8], loss: Loss)] = []
        /// Counts bytes of both directions once it is set; the connection is cut when it comes to zero.
        var requestBytesLeft: Int?
        var answerBytesLeft: Int?
        /// Answers are handed on in pieces of this size.
        var pieceSize: Int?
        var cuts = 0
        var refusesConnections = false
    }

    private let plan = LockedState(Plan())
    private let relay: Relay
    var port: Int { self.relay.port }

    init(to upstream: Int) throws {
        self.relay = try Relay(to: upstream)
        try self.relay.start { [weak self] in self?.lines() }
    }

    /// How often it has cut a connection.
    var cuts: Int { self.plan.withLock { $0.cuts } }

    /// The next change of `id` fails.
    func lose(_ loss: Loss, of id: String) { self.plan.withLock { $0.losses.append((Array(id.utf8), loss)) } }

    /// Cuts the next connection after so many bytes more from the client.
    func cut(afterRequestBytes count: Int) { self.plan.withLock { $0.requestBytesLeft = count } }

    /// Cuts the next connection after so many bytes more from the server.
    func cut(afterAnswerBytes count: Int) { self.plan.withLock { $0.answerBytesLeft = count } }

    /// Hands answers on in pieces of `size` bytes.
    func chop(_ size: Int?) { self.plan.withLock { $0.pieceSize = size } }

    /// Takes back what was planned and has not happened.
    func relent() {
        self.plan.withLock { plan in
            plan.losses = []
            plan.requestBytesLeft = nil
            plan.answerBytesLeft = nil
            plan.refusesConnections = false
        }
    }

    /// Cuts every connection; refuses new ones until ``relent()`` if `isDown`.
    func cutAll(isDown: Bool = false) {
        if isDown { self.plan.withLock { $0.refusesConnections = true } }
        self.relay.cutAll()
    }

    func stop() { self.relay.stop() }

    private func lines() -> (requests: Relay.Line, answers: Relay.Line)? {
        if self.plan.withLock({ $0.refusesConnections }) { return nil }
        // Losing an answer begins in one direction and ends in the other.
        let swallowsAnswer = LockedState(false)
        return (
            { client, server in self.forwardRequests(client, server, swallowsAnswer) },
            { server, client in self.forwardAnswers(server, client, swallowsAnswer) }
        )
    }

    private static func isChange(_ bytes: [UInt8]) -> Bool {
        [
            "perdure_replace", "perdure_create", "perdure_put", "perdure_remove", "perdure_run_commit",
            "perdure_run_create",
            "perdure_run_post", "perdure_work_delete", "perdure_work_claim", "perdure_work_adopt",
            "perdure_work_register",
            "perdure_work_renew", "perdure_work_bury", "perdure_work_retire",
        ].contains { bytes.contains($0) }
    }

    private func forwardRequests(_ client: CInt, _ server: CInt, _ swallowsAnswer: LockedState<Bool>) {
        while true {
            var bytes = Sockets.receive(from: client)
            if bytes.isEmpty { return }
            let (loss, cut): (Loss?, Int?) = self.plan.withLock { plan in
                if let left = plan.requestBytesLeft {
                    if bytes.count >= left {
                        plan.requestBytesLeft = nil
                        plan.cuts += 1
                        return (nil, left)
                    }
                    plan.requestBytesLeft = left - bytes.count
                }
                guard Self.isChange(bytes), let index = plan.losses.firstIndex(where: { bytes.contains($0.id) })
                else { return (nil, nil) }
                plan.cuts += 1
                return (plan.losses.remove(at: index).loss, nil)
            }
            if let cut { bytes = Array(bytes.prefix(cut)) }
            switch loss {
            case .request: return
            case .answer: swallowsAnswer.withLock { $0 = true }
            case nil: break
            }
            guard Sockets.send(bytes, to: server), cut == nil else { return }
        }
    }

    private func forwardAnswers(_ server: CInt, _ client: CInt, _ swallowsAnswer: LockedState<Bool>) {
        while true {
            var bytes = Sockets.receive(from: server)
            if bytes.isEmpty { return }
            // Ready for query: the server has done it, and nobody will know.
            if swallowsAnswer.withLock({ $0 }) {
                if bytes.suffix(6).first == UInt8(ascii: "Z") { return }
                continue
            }
            let (cut, pieceSize): (Int?, Int?) = self.plan.withLock { plan in
                guard let left = plan.answerBytesLeft else { return (nil, plan.pieceSize) }
                if bytes.count >= left {
                    plan.answerBytesLeft = nil
                    plan.cuts += 1
                    return (left, plan.pieceSize)
                }
                plan.answerBytesLeft = left - bytes.count
                return (nil, plan.pieceSize)
            }
            if let cut { bytes = Array(bytes.prefix(cut)) }
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(pieceSize ?? rest.count)
                guard Sockets.send(piece, to: client) else { return }
                rest = rest.dropFirst(piece.count)
            }
            if cut != nil { return }
        }
    }
}
