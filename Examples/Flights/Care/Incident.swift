/// A flight whose passengers need care: it came in two hours late or more, or never departed.
struct Incident: Codable, Sendable, Equatable {
    /// The line on which the flight stands in its file.
    var line: Int
    var origin: String
    var destination: String
    var cause: Cause

    enum Cause: Codable, Sendable, Equatable {
        case late(minutes: Int)
        case cancelled
    }

    /// From so many minutes on a delay is an incident.
    static let leastDelay = 120

    /// Nil for a flight that went well enough.
    init?(_ flight: Flight) {
        switch flight.outcome {
        case .cancelled: self.cause = .cancelled
        case .arrived(_, let delay, _) where delay >= Self.leastDelay: self.cause = .late(minutes: delay)
        case .arrived, .diverted: return nil
        }
        self.line = flight.line
        self.origin = flight.origin
        self.destination = flight.destination
    }
}

/// What the passengers of an incident are entitled to.
struct Entitlement: Codable, Sendable, Equatable {
    var incident: Incident
    /// Worth of the vouchers, in dollars.
    var voucher: Int
    var needsHotel: Bool
}

/// A seat on another flight.
struct Rebooking: Codable, Sendable, Equatable {
    var seat: String
}

/// A voucher.
struct Voucher: Codable, Sendable, Equatable {
    var number: String
    var worth: Int
}

/// What the passengers are offered.
struct Offer: Codable, Sendable, Equatable {
    var line: Int
    var rebooking: Rebooking
    var voucher: Voucher
}

/// What the airline says to an offer.
struct Confirmation: Codable, Sendable, Equatable {
    var bonus: Int
}

/// What became of an incident.
struct Settlement: Codable, Sendable, Equatable {
    var line: Int
    var paid: Int
    /// Whether the airline answered in time.
    var isConfirmed: Bool
}
