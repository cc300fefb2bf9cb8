import Glibc
import PerdureCQL

let socket: Int32 = 0
let id = "ada"
let payload: [UInt8] = []
let statement = CQLPreparedStatement(id: [], markers: [])
let insert = statement
var encoder = CQLFrameEncoder(version: .v5)
