import PerdureTestKit
import Testing

@testable import PerdureState

@Suite struct TurnTests {
    @Test func goesStraightToTheNextInLine() {
        var turn = Turn<String>()
        #expect(turn.takeIfFree() == true)
        #expect(turn.takeIfFree() == false)
        turn.join("ada", turn.makeTicket())
        turn.join("ben", turn.makeTicket())
        #expect(turn.waiting == 2)
        #expect(turn.pass() == "ada")
        #expect(turn.takeIfFree() == false, "nobody overtakes who has been told")
        #expect(turn.pass() == "ben")
        #expect(turn.pass() == nil)
        #expect(!turn.isTaken)
        #expect(turn.takeIfFree() == true)
    }

    @Test func whoLeavesIsNotTold() {
        var turn = Turn<String>()
        #expect(turn.takeIfFree() == true)
        let (first, second, third) = (turn.makeTicket(), turn.makeTicket(), turn.makeTicket())
        turn.join("ada", first)
        turn.join("ben", second)
        #expect(turn.leave(second) == "ben")
        #expect(turn.leave(second) == nil)
        #expect(turn.leave(third) == nil, "a ticket that was never used")
        #expect(turn.pass() == "ada")
        #expect(turn.leave(first) == nil, "the turn had come already")
        #expect(turn.pass() == nil)
    }

    @Test func whoIsExpectedCountsAsWaiting() {
        var turn = Turn<String>()
        #expect(turn.takeIfFree() == true)
        turn.expect()
        turn.expect()
        #expect(turn.waiting == 2 && turn.inLine == 0)
        #expect(turn.arrive("ada") == false)
        #expect(turn.waiting == 2 && turn.inLine == 1)
        #expect(turn.pass() == "ada")
        #expect(turn.pass() == nil)
        #expect(!turn.isTaken && !turn.isIdle, "one is still on the way")
        #expect(turn.arrive("ben") == true, "nobody has the turn")
        #expect(turn.isTaken && turn.waiting == 0)
        #expect(turn.pass() == nil)
        #expect(turn.isIdle)
    }

    @Test(arguments: 0..<50 as Range<UInt64>) func doesAsAnArrayDoes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var turn = Turn<Int>()
        var (line, isTaken): ([UInt64], Bool) = ([], false)
        for _ in 0..<1_000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                if turn.takeIfFree() {
                    #expect(!isTaken)
                    isTaken = true
                } else {
                    #expect(isTaken)
                    let ticket = turn.makeTicket()
                    turn.join(Int(ticket), ticket)
                    line.append(ticket)
                }
            case 2 where isTaken:
                let next = line.isEmpty ? nil : Int(line.removeFirst())
                #expect(turn.pass() == next)
                isTaken = next != nil
            case 3 where !line.isEmpty:
                let ticket = line.remove(at: Int.random(in: 0..<line.count, using: &random))
                #expect(turn.leave(ticket) == Int(ticket))
            default: break
            }
            #expect(turn.waiting == line.count && turn.isTaken == isTaken)
        }
    }
}
