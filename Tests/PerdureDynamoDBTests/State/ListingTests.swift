import PerdureModel
import PerdureTestKit
import Testing

@testable import PerdureDynamoDB

@Suite struct ListingPlaceTests {
    @Test func roundTripsAsText() {
        let keys = ["a", "perdure:", "é,.-\"", String(repeating: "x", count: 270)]
        let places: [[ListingPlace.Segment]] =
            keys.map { [.after($0)] } + [
                [.untouched, .untouched], [.finished, .untouched], keys.map { .after($0) } + [.finished, .untouched],
            ]
        for segments in places {
            var place = ListingPlace(segmentCount: segments.count)
            place.segments = segments
            #expect(ListingPlace(place.text) == place, "\(place.text)")
        }
    }

    /// IDs may be anything, also what looks like a place.
    @Test func takesWhateverElseForAKey() {
        var place = ListingPlace(segmentCount: 2)
        place.segments = [.after("k"), .finished]
        var noise = Array(place.text.utf8)
        noise[10] ^= 1
        for text in ["", "perdure:", "perdure:6b,.,", "perdure:6b,.,123", String(decoding: noise, as: UTF8.self)] {
            #expect(ListingPlace(text).segments == [.after(text)])
        }
    }
}

@Suite("Listing", .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"))
struct ListingTests {
    private static func fill(_ store: DynamoDBStore, _ ids: [String]) async {
        let results = await store.write(
            ids.map { id in
                StateWrite(
                    DurableState(persistenceID: id, version: 1, payload: StatePayload(manifest: "m", bytes: [1])),
                    if: .always)
            })
        #expect(results.allSatisfy { if case .success = $0 { true } else { false } })
    }

    private static func all(
        _ store: DynamoDBStore, _ prefix: String = "", limit: Int, from cursor: StateIDPage.Cursor? = nil
    ) async throws -> (ids: [String], pages: Int) {
        var (ids, cursor, pages): ([String], StateIDPage.Cursor?, Int) = ([], cursor, 0)
        repeat {
            let page = try await store.persistenceIDs(
                withPrefix: prefix, after: cursor.map { .init($0.text) }, limit: limit)
            #expect(page.ids.count <= limit)
            ids += page.ids
            pages += 1
            cursor = page.next
        } while cursor != nil && pages < 1_000
        return (ids, pages)
    }

    @Test(arguments: [1, 2, 7, 64]) func findsEachOnce(_ segments: Int) async throws {
        try await TestServer.withTable({ $0.listingSegments = segments }) { store in
            let ids = (0..<150).map { "\($0 % 3 == 0 ? "a" : "b")-\($0)" } + ["perdure:1,", "é"]
            await Self.fill(store, ids)
            // What is no state is not listed.
            try await store.delete("a-0", if: .version(1))
            let expected = ids.filter { $0 != "a-0" }.sorted()
            for limit in [1, 5, 64, 100, 10_000] {
                let found = try await Self.all(store, limit: limit)
                #expect(found.ids.sorted() == expected, "limit \(limit)")
                let again = try await Self.all(store, limit: limit)
                #expect(again.ids == found.ids, "the order changes, limit \(limit)")
            }
            let some = try await Self.all(store, "a-", limit: 7)
            #expect(some.ids.sorted() == expected.filter { $0.hasPrefix("a-") })
        }
    }

    /// All parts are asked at once: a page of a small table is the last, with any number of them.
    @Test func readsItsPartsSideBySide() async throws {
        try await TestServer.withTable({ $0.listingSegments = 8 }) { store in
            await Self.fill(store, (0..<50).map { "\($0)" })
            let found = try await Self.all(store, limit: 10_000)
            #expect(found.pages == 1 && found.ids.count == 50)
        }
    }

    /// A cursor that was kept goes on where it was, whatever the setting is by then.
    @Test func goesOnWithAnotherSetting() async throws {
        try await TestServer.withTable { one in
            await Self.fill(one, (0..<60).map { "id-\($0)" })
            var configuration = one.configuration
            configuration.listingSegments = 4
            let four = try DynamoDBStore(configuration)
            for (first, second) in [(one, four), (four, one)] {
                let page = try await first.persistenceIDs(withPrefix: "", after: nil, limit: 20)
                let rest = try await Self.all(second, limit: 20, from: page.next)
                #expect(Set(page.ids + rest.ids).count == 60 && page.ids.count + rest.ids.count == 60)
            }
            await four.disconnect()
        }
    }
}
