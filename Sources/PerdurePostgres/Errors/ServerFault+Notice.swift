internal import PerdureModel

/// A notice as it may be told to an observer.
extension ServerFault {
    var noticeSeverity: PerdureEvent.NoticeSeverity { .init(rawValue: self.severity) ?? .notice }

    /// What it says, without values.
    ///
    /// The server's own notices name tables and settings. A notice that code inside the database raised, such as a trigger, may
    /// quote what is stored: of it only the place is told.
    var publicWords: String {
        guard let context = self.context, let place = context.split(separator: "\n").first else { return self.message }
        // The place of a statement is its text, which may have values in it.
        let isCode = place.hasPrefix("PL/") && !place.contains("\"") && !place.contains("'")
        return
            "raised by \(isCode ? String(place) : "code inside the database"); its text may quote values and is not shown"
    }
}
