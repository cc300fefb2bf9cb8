import Glibc
import PerdureCQL

let socket: Int32 = 0
var conversation = CQLConversation<Int>(CQLConnectionConfiguration())
func handle(_ event: CQLConversation<Int>.Event) {}
