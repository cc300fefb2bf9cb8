import Testing

@testable import PerdureState

@Suite struct EntityDirectoryTests {
    private func find(_ id: String, in directory: EntityDirectory) -> EntityDirectory.Found? {
        directory.find(id) { EntityTurn(id: id, shard: 0, moment: directory.moment) }
    }

    @Test func findsWhatIsThere() throws {
        let directory = EntityDirectory(limit: nil)
        let ada = try #require(self.find("ada", in: directory)).entity
        #expect(try #require(self.find("ada", in: directory)).entity === ada)
        #expect(directory.peek("ada") === ada)
        #expect(directory.peek("ben") == nil)
        #expect(directory.count == 1)
        // Equal as Swift strings, different as bytes.
        let one = try #require(self.find("caf\u{e9}", in: directory)).entity
        #expect(try #require(self.find("cafe\u{301}", in: directory)).entity !== one)
    }

    @Test(arguments: [1, 2, 7, 511]) func smallLimitsAreKeptExactly(limit: Int) throws {
        let directory = EntityDirectory(limit: limit)
        for number in 0..<(2 * limit + 3) {
            let found = try #require(self.find("\(number)", in: directory))
            #expect(found.evicted.map(\.id) == (number < limit ? [] : ["\(number - limit)"]))
            #expect(directory.count == min(limit, number + 1))
            // Those that came before are used in their order, at a later moment than that of their coming.
            _ = directory.removeIdle(for: .seconds(1_000), now: .zero)
            for older in max(0, number - limit + 1)...number {
                guard let entity = directory.peek("\(older)") else { continue }
                guard case .turn = entity.take(at: directory.moment) else { continue }
                entity.pass()
                if limit <= 7 { _ = directory.removeIdle(for: .seconds(1_000), now: .zero) }
            }
        }
    }

    @Test(arguments: [512, 1_000, 5_000]) func largeLimitsAreNeverExceeded(limit: Int) throws {
        let directory = EntityDirectory(limit: limit)
        for number in 0..<(3 * limit) { _ = self.find("\(number)", in: directory) }
        #expect(directory.count <= limit)
        #expect(directory.count > limit * 9 / 10)
    }

    @Test func thoseAtWorkStayAndTheOthersLeave() throws {
        let directory = EntityDirectory(limit: 20)
        let atWork = try (0..<20).map { try #require(self.find("busy-\($0)", in: directory)).entity }
        for entity in atWork {
            guard case .turn = entity.take(at: directory.moment) else { Issue.record("it should be free"); return }
        }
        for number in 0..<100 { _ = self.find("\(number)", in: directory) }
        #expect(directory.count == 21)
        for entity in atWork { #expect(directory.peek(entity.id) === entity) }
        for entity in atWork { entity.pass() }
        _ = self.find("one more", in: directory)
        #expect(directory.count == 20)
    }

    @Test func theRetiredDoNoMoreWork() throws {
        let directory = EntityDirectory(limit: 1)
        let ada = try #require(self.find("ada", in: directory)).entity
        _ = self.find("ben", in: directory)
        guard case .retired = ada.take(at: 1) else { Issue.record("it left"); return }
        #expect(try #require(self.find("ada", in: directory)).entity !== ada)
    }

    @Test func idlingIsCountedFromTheLastUse() throws {
        let directory = EntityDirectory(limit: nil)
        let (ada, ben) = (try #require(self.find("ada", in: directory)).entity, self.find("ben", in: directory))
        #expect(ben != nil)
        #expect(directory.removeIdle(for: .seconds(10), now: .seconds(0)).isEmpty)
        #expect(directory.removeIdle(for: .seconds(10), now: .seconds(9)).isEmpty)
        guard case .turn = ada.take(at: directory.moment) else { Issue.record("it should be free"); return }
        ada.pass()
        #expect(directory.removeIdle(for: .seconds(10), now: .seconds(10)).map(\.id) == ["ben"])
        #expect(directory.removeIdle(for: .seconds(10), now: .seconds(19)).isEmpty)
        #expect(directory.removeIdle(for: .seconds(10), now: .seconds(20)).map(\.id) == ["ada"])
        #expect(directory.count == 0)
    }

    /// Whoever works is not idle, however long ago it was asked to.
    @Test func longWorkIsNotIdling() throws {
        let directory = EntityDirectory(limit: nil)
        let ada = try #require(self.find("ada", in: directory)).entity
        guard case .turn = ada.take(at: directory.moment) else { Issue.record("it should be free"); return }
        for second in 0..<100 {
            #expect(directory.removeIdle(for: .seconds(10), now: .seconds(second)).isEmpty)
        }
        ada.pass()
        #expect(directory.removeIdle(for: .seconds(10), now: .seconds(100)).isEmpty)
        #expect(directory.removeIdle(for: .seconds(10), now: .seconds(111)).map(\.id) == ["ada"])
    }

    @Test func aClosedOneTakesNobodyIn() throws {
        let directory = EntityDirectory(limit: nil)
        let (ada, ben) = (try #require(self.find("ada", in: directory)).entity, self.find("ben", in: directory))
        #expect(ben != nil)
        guard case .turn = ada.take(at: 1) else { Issue.record("it should be free"); return }
        let (idle, atWork) = directory.close()
        #expect(idle.map(\.id) == ["ben"])
        #expect(atWork.map(\.id) == ["ada"])
        #expect(self.find("ada", in: directory) == nil)
        #expect(self.find("cyd", in: directory) == nil)
        guard case .retired = ada.take(at: 1) else { Issue.record("nobody may join the line"); return }
        #expect(directory.remove(ada))
        #expect(!directory.remove(ada))
        #expect(directory.count == 0)
    }
}
