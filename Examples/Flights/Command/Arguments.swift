/// What the command line asks for.
struct Arguments: Equatable {
    var flights = ""
    var store = ""
    var result: String?
    var ledger: String?
    var waitsToBeKilled = false
    var showsTable = true
    var wantsHelp = false

    static let help = """
        Flies the rows of a file into logbooks, one for each aircraft. script/demo does the same with a crash half way.

          Flights --flights FILE --store URL [--result FILE] [--ledger FILE] [--no-table] [--until-killed]

          --flights FILE   the file, comma-separated, with the columns of nycflights13
          --store URL      where the logbooks are: sqlite:PATH or memory:
          --result FILE    also write all totals and logbooks to a file, as JSON
          --ledger FILE    look after the passengers of late and cancelled flights, and write down what was done for them
          --no-table       print no table
          --until-killed   stop reading half way, print the acknowledged rows, and keep writing until killed
        """

    init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            func value() throws(UsageError) -> String {
                guard let value = rest.popFirst(), !value.isEmpty else { throw UsageError("\(option) needs a value") }
                return value
            }
            switch option {
            case "--flights": self.flights = try value()
            case "--store": self.store = try value()
            case "--result": self.result = try value()
            case "--ledger": self.ledger = try value()
            case "--no-table": self.showsTable = false
            case "--until-killed": self.waitsToBeKilled = true
            case "--help", "-h": self.wantsHelp = true
            default: throw UsageError("unknown option \(option.debugDescription); --help lists what there is")
            }
        }
        guard !self.wantsHelp else { return }
        if self.flights.isEmpty { throw UsageError("--flights FILE is missing") }
        if self.store.isEmpty { throw UsageError("--store URL is missing") }
        if self.waitsToBeKilled, self.store.hasPrefix("memory:") {
            throw UsageError("what is in memory does not outlive the process: --until-killed needs another store")
        }
    }
}
