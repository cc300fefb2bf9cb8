import PerdureCQL
import Testing

@testable import PerdureCQLClient

@Suite("The course of a request")
struct RequestCourseTests {
    private func course(
        isIdempotent: Bool = false, isConditional: Bool = false, isRead: Bool = false
    ) -> RequestCourse {
        RequestCourse(
            policy: CQLRetryPolicy(attempts: 3), isIdempotent: isIdempotent, isConditional: isConditional,
            isRead: isRead)
    }

    private func error(
        _ code: CQLServerError.Code, _ details: CQLServerError.Details = .none
    ) -> CQLFailure {
        .server(CQLServerError(code, "words", details: details))
    }

    @Test("what never left has not happened, and goes on at the next node whatever it is")
    func notSent() {
        var course = self.course()
        course.began()
        #expect(course.failed(.connectionLost(wasSent: false)) == .retryNextNode)
        #expect(course.hasNothingSent)
        course.began()
        #expect(course.failed(.connectionLost(wasSent: false)) == .retryNextNode)
        course.began()
        #expect(course.failed(.connectionLost(wasSent: false)) == .fail(.connectionLost(wasSent: false)))
        #expect(course.outcome == .notApplied)
    }

    @Test("a write whose answer is lost ends as unknown; an idempotent one goes on, and stays unknown to the end")
    func lost() {
        var write = self.course()
        write.began()
        #expect(write.failed(.connectionLost(wasSent: true)) == .fail(.connectionLost(wasSent: true)))
        #expect(write.outcome == .unknown)

        var idempotent = self.course(isIdempotent: true)
        idempotent.began()
        #expect(idempotent.failed(.connectionLost(wasSent: true)) == .retryNextNode)
        #expect(!idempotent.hasNothingSent)
        idempotent.began()
        // The second node refuses, but the first may have done it.
        #expect(idempotent.failed(self.error(.invalid)) == .fail(self.error(.invalid)))
        #expect(idempotent.outcome == .unknown)
    }

    @Test("a conditional write that may have happened is never repeated, idempotent or not")
    func conditional() {
        var course = self.course(isIdempotent: true, isConditional: true)
        #expect(!course.maySpeculate)
        course.began()
        let late = self.error(
            .writeTimeout, .writeTimeout(consistency: .serial, received: 1, required: 2, type: .cas, contentions: nil))
        #expect(course.failed(late) == .fail(late))
        #expect(course.outcome == .unknown)
        // Too few replicas to begin with: nothing happened, so that another coordinator may try.
        course = self.course(isConditional: true)
        course.began()
        let few = self.error(.unavailable, .unavailable(consistency: .serial, required: 2, alive: 1))
        #expect(course.failed(few) == .retryNextNode)
        #expect(course.outcome == .notApplied)
    }

    @Test("a read has changed nothing, whatever happened")
    func read() {
        var course = self.course(isIdempotent: true, isRead: true)
        course.began()
        #expect(course.failed(.connectionLost(wasSent: true)) == .retryNextNode)
        course.began()
        course.ended(anySent: true)
        #expect(course.outcome == .notApplied)
    }

    @Test("of two tries the failure of one is waited out, unless every node would say the same")
    func speculation() {
        var course = self.course(isIdempotent: true)
        #expect(course.maySpeculate)
        course.began()
        course.began()
        #expect(course.failed(self.error(.serverError)) == .wait)
        #expect(course.failed(.connectionLost(wasSent: true)) == .retryNextNode)

        course = self.course(isIdempotent: true)
        course.began()
        course.began()
        #expect(course.failed(self.error(.syntaxError)) == .fail(self.error(.syntaxError)))
    }

    @Test("with no node left the last failure is the answer")
    func noNode() {
        var course = self.course(isIdempotent: true)
        course.began()
        #expect(course.failed(self.error(.overloaded)) == .retryNextNode)
        #expect(course.noNodeLeft() == .fail(self.error(.overloaded)))
    }

    @Test("a node that forgets the statement each time it learns it is not taught for ever")
    func forgotten() {
        var course = self.course()
        course.began()
        let isTaught = (0..<4).map { _ in course.forgotten() }
        #expect(isTaught == [true, true, true, false])
        let unprepared = self.error(.unprepared, .unprepared([1]))
        #expect(course.failed(unprepared) == .fail(unprepared))
        #expect(course.outcome == .notApplied)
    }
}
