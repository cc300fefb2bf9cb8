import Glibc
import PerdureCQL

let socket: Int32 = 0
var decoder = CQLFrameDecoder(version: .v5)
func handle(_ frame: CQLFrame) {}
