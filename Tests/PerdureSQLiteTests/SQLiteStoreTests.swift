import PerdureSQLite
import Testing
