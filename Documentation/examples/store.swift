import PerdureSQLite

let store = try SQLiteStore("bank.sqlite")
