/// What travels through the workflows of the zoo: a number, and a mark of every execution that had a hand in it.
///
/// An execution leaves another mark each time, so that a result shows which executions it was made of: had a recorded one been replaced by
/// another, or a step been given anything but what is recorded, the trail would tell.
package struct Parcel: Codable, Sendable, Hashable {
    /// What is worked on.
    package var number: Int
    /// `STEP@MARK` of each execution, in the order of the definition.
    package var trail: [String]

    /// A parcel that nobody has touched.
    package init(_ number: Int, trail: [String] = []) {
        self.number = number
        self.trail = trail
    }

    /// What a step makes of it.
    package func after(_ step: String, _ mark: String, _ change: (Int) -> Int) -> Parcel {
        Parcel(change(self.number), trail: self.trail + ["\(step)@\(mark)"])
    }

    /// The marks of the executions that had a hand in it.
    var marks: [String] {
        self.trail.map { String($0[($0.lastIndex(of: "@").map($0.index(after:)) ?? $0.startIndex)...]) }
    }

    /// The mark that `step` has left here as the last; nil where it was not the last.
    package func lastMark(of step: String) -> String? {
        guard let last = self.trail.last, last.hasPrefix("\(step)@") else { return nil }
        return String(last.dropFirst(step.count + 1))
    }
}
