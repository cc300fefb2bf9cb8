import Synchronization

/// Which aircraft a file names, and how many of its rows name none.
struct TailNumbers: Sendable, Equatable {
    private(set) var named: Set<String> = []
    private(set) var rowsWithout = 0

    mutating func add(_ flight: Flight) {
        if let tailNumber = flight.tailNumber { self.named.insert(tailNumber) } else { self.rowsWithout += 1 }
    }
}

/// Hands them from the task that reads to the one that reports.
final class TailNumberBox: Sendable {
    let value = Mutex(TailNumbers())
}
