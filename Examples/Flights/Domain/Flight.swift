/// A row of the file: what became of one scheduled flight.
struct Flight: Sendable, Equatable {
    /// The line on which it stands. Rows come in the order of their lines, so this also numbers them.
    var line: Int
    /// The aircraft, where somebody wrote it down.
    var tailNumber: String?
    var origin: String
    var destination: String
    /// In miles.
    var distance: Int
    var outcome: Outcome

    enum Outcome: Sendable, Equatable {
        /// It never departed.
        case cancelled
        /// It departed and came down elsewhere, or not within the day.
        case diverted(departure: Minute)
        /// It arrived, so many minutes late (early if negative), after so many in the air.
        case arrived(departure: Minute, delay: Int, airTime: Int)
    }

    /// Minutes since the beginning of 1970 on the clock of New York.
    typealias Minute = Int
}
