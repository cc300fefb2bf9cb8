internal import PerdureModel
internal import PerdureState

extension TableSession {
    /// A page of a listing: of each part of the table that is not at its end, the next IDs, all parts at once.
    func persistenceIDs(
        withPrefix prefix: String, after cursor: String?, limit: Int
    ) async throws(StoreError) -> StateIDPage {
        let deadline = self.deadline(.list)
        var place =
            cursor.map { ListingPlace($0) } ?? ListingPlace(segmentCount: self.configuration.listingSegments)
        let segments = place.unfinished.prefix(limit)
        guard !segments.isEmpty else { return StateIDPage(ids: [], next: nil) }
        let share = limit / segments.count
        let parts = await withTaskGroup(of: (Int, Result<SegmentPage, StoreError>).self) { group in
            for number in segments {
                let (start, count) = (place.segments[number], place.segments.count)
                group.addTask {
                    do throws(StoreError) {
                        let page = try await self.page(
                            of: (number, count), from: start, withPrefix: prefix, limit: share, deadline: deadline)
                        return (number, .success(page))
                    } catch {
                        return (number, .failure(error))
                    }
                }
            }
            return await group.reduce(into: [Int: Result<SegmentPage, StoreError>]()) { $0[$1.0] = $1.1 }
        }
        var ids: [String] = []
        for number in segments {
            guard let part = try parts[number]?.get() else { continue }
            ids += part.ids
            place.segments[number] = part.next
        }
        return StateIDPage(ids: ids, next: place.isAtEnd ? nil : StateIDPage.Cursor(place.text))
    }

    private struct SegmentPage: Sendable {
        var ids: [String]
        var next: ListingPlace.Segment
    }

    private func page(
        of segment: (number: Int, of: Int), from place: ListingPlace.Segment, withPrefix prefix: String, limit: Int,
        deadline: Duration
    ) async throws(StoreError) -> SegmentPage {
        var expression = Expression()
        expression.projection = "PersistenceID"
        expression.filter = "attribute_not_exists(ItemKind)"
        if !prefix.isEmpty {
            expression.filter? += " AND begins_with(PersistenceID, :p)"
            expression.values.append(":p", .string(prefix))
        }
        var ids: [String] = []
        var start: Item?
        if case .after(let key) = place { start = StateItem.key(key) }
        // A prefix that few have, or a small limit, would make many empty pages; so many items are looked at for one page here.
        for _ in 0..<64 {
            let page = try await self.perform(
                .scan(
                    table: self.table, expression, after: start, limit: max(limit, 500), isConsistent: true,
                    segment: segment.of > 1 ? segment : nil, reportsCapacity: self.reportsCapacity), .list,
                deadline: deadline)
            for item in page.items {
                // Others' items with keys that are no persistence IDs are none of ours.
                guard let id = item[StateItem.id]?.text, PersistenceID.violation(in: id) == nil else { continue }
                ids.append(id)
                // The rest of what was found is found again by the next page.
                if ids.count == limit { return SegmentPage(ids: ids, next: .after(id)) }
            }
            start = page.next
            if start == nil || self.client.now >= deadline { break }
        }
        let next = start?[StateItem.id]?.text
        return SegmentPage(ids: ids, next: next.map { .after($0) } ?? .finished)
    }
}
