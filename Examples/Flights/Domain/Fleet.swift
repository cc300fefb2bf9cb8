/// Under which names the rows of one file are kept.
///
/// Names begin with the file's fingerprint, so that one store can hold the flights of several files, each counted once.
struct Fleet: Sendable {
    /// Rows without a tail number have logbooks of their own: several, so that they do not wait for each other.
    static let unnamedCount = 16

    private let prefix: String

    init(fingerprint: UInt64) {
        let digits = String(fingerprint, radix: 16)
        self.prefix = "flights-" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The logbook in which a row belongs.
    func logbookID(of flight: Flight) -> String {
        flight.tailNumber.map(self.aircraftID) ?? self.unnamedID(flight.line % Self.unnamedCount)
    }

    func aircraftID(_ tailNumber: String) -> String { "\(self.prefix)-aircraft-\(tailNumber)" }

    func unnamedID(_ number: Int) -> String { "\(self.prefix)-unnamed-\(number)" }

    func careID(ofLine line: Int) -> String { "\(self.prefix)-care-\(line)" }

    func towerID(_ number: Int) -> String { "\(self.prefix)-tower-\(number)" }
}
